#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-bench changes all files of filesystems of many kinds. Unasked it leaves
# the image as it was; with --scratch that has the changes then, a clean log,
# and nothing new that xfs_repair would find.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq xfs_repair mkfs.xfs

result() {
	jq -e "select(.type == \"result\") | $1" out >/dev/null ||
		{ tail -n 1 out >&2; fail "$name: not: $1"; }
}

# What it finds: of some images, that is more than nothing.
# Groups come in the order in which threads get to them.
repair() {	# <image> [-l log]
	local rc=0

	xfs_repair -n "${@:2}" "$1" >repair.out 2>&1 || rc=$?
	grep -v -- '- agno = ' repair.out || true
	echo "it exits with $rc"
}

try() {	# <name> [option]... of the filesystem fs, its log in log or inside
	local name=$1 logdev=() inodes

	shift
	[ ! -e log ] || { logdev=(-l log); set -- -l logdev=log "$@"; remember log; }
	remember fs
	repair fs "${logdev[@]}" >want
	expect_exit 0 timeout 60 "$XLOG_BENCH" -J -j2 -n 3000 --verify "$@" fs
	is_untouched fs
	[ ! -e log ] || is_untouched log
	result '.tx == 3000 and .recovered == 3000 and .mismatches == 0 and
		(.wrote | not) and .inodes > 8'
	inodes=$(jq 'select(.type == "result") | .inodes' out)

	expect_exit 0 timeout 60 "$XLOG_BENCH" -J -j1 -n "$inodes" --scratch \
		--verify "$@" fs
	result ".wrote and .mismatches == 0 and .recovered == $inodes and
		.formatted_bytes >= $inodes * 256"
	says 'modes, owners and times of its files are changed'
	expect_exit 0 "$XLOG_PRINT" --check "${logdev[@]}" fs
	repair fs "${logdev[@]}" >have
	diff -u want have >&2 || fail "$name: xfs_repair"
	! "$DIFFER" -s fs fs.kept || fail "$name: nothing has changed"
	rm -f fs* log*
}

image() {	# <name> [option]...
	unpack "$IMAGES/linux618/$1.img.zst" fs >/dev/null
	expect_exit 0 "$XLOG_RECOVER" fs
	try "$@"
}

image chmod-only
image bs1k -o nodelaylog,logbsize=64k
image isize1024 --fsync-every=100

{
	printf '/nothing\n0 0\nd--755 0 0\n'
	for ((i = 0; i < 20; i++)); do
		echo "file$i ---644 0 0 /dev/null"
	done
	echo '$'
} >proto
truncate -s 400m fs
truncate -s 70m log
mkfs.xfs -q -l logdev=log,size=64m -p proto fs >told
try external -o logbufs=2,logbsize=16k
