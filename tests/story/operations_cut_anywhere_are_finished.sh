#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Files are truncated, shared, moved about and exchanged by our transactions,
# which stop between an intent and what it asks for. This kernel finishes the
# log as xlog-recover does. An exchange is all there then, wherever it stopped,
# and so is an attribute, whose intents the kernel takes of its own only. With
# done items in front of their intents xfs_repair finds what is wrong.
#
# CRASH_ALL=1	at every such point; else at a few
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/mnt.sh"
need_command xfs_repair fallocate

leave=$BUILD/tests/agree/leave_chain
look=$BUILD/tests/agree/fslook
mount_it() {	# <image>
	mnt_mount "$1" || fail "$1 does not mount"
}

# Two files of as many bytes, the first with a hole in every other block, and
# an empty one. Of another size the kernel would take away what lies behind the
# end that the file had before: it has the new one on disk only.
make_base() {	# <option of xlog-mkfs>...
	local i

	rm -f base.img
	truncate -s 96m base.img
	"$BUILD/xlog-mkfs" -q -x -l size=16m "$@" base.img
	mount_it base.img
	(
		cd mnt || exit
		head -c 160k /dev/urandom >a
		for ((i = 0; i < 40; i += 2)); do
			fallocate -p -o $((i * 4096)) -l 4096 a
		done
		head -c 160k /dev/urandom >b
		: >c
	)
	a=$(stat -c %i mnt/a)
	b=$(stat -c %i mnt/b)
	c=$(stat -c %i mnt/c)
	mnt_release
}

# Left at a point, and recovered by us.
leave_at() {	# <point> <operation> <inode>...
	cp --sparse=always base.img theirs.img
	expect_exit 0 "$leave" theirs.img "$@"
	cp --sparse=always theirs.img ours.img
	expect_exit 0 "$BUILD/xlog-recover" -q ours.img
	"$look" ours.img >ours.txt
}

# What is not sound is not mounted: the kernel would not get over it.
kernel_agrees() {	# <point> <operation>
	mount_it theirs.img
	mnt_release
	"$look" theirs.img >theirs.txt
	diff -u theirs.txt ours.txt ||
		fail "$2, point $1: the kernel finishes it otherwise"
	kernel=$((kernel + 1))
}

count_points() {	# <operation> <inode>...
	cp --sparse=always base.img full.img
	expect_exit 3 "$leave" full.img 1000000 "$@"
	points=$(cat out)
	"$look" full.img >full.txt
}

cut() {	# <operation> <inode>...
	local p few

	count_points "$@"
	[ "$points" -gt 8 ] || fail "$1: only $points points"
	few=" 1 2 3 4 $((points / 2)) $points "
	for ((p = 1; p <= points; p++)); do
		if [[ $few != *" $p "* && -z ${CRASH_ALL:-} ]]; then
			continue
		fi
		leave_at $p "$@"
		if [ "$1" = exchange ]; then
			diff -u full.txt ours.txt ||
				fail "exchange, point $p: not all of it"
		else
			expect_exit 0 xfs_repair -n ours.img
		fi
		kernel_agrees $p "$1"
	done
	operations=$((operations + 1))
}

# Blocks of a value that nothing names yet stay with the inode, as with Linux.
without_space() {	# <text>
	grep -v -e '^free ' -e '^sb ' "$1"
}

attribute() {	# <operation>
	local p

	count_points "$1" "$c"
	for ((p = 1; p <= points; p++)); do
		leave_at $p "$1" "$c"
		diff -u <(without_space full.txt) <(without_space ours.txt) ||
			fail "$1, point $p: not all of it"
		expect_exit 0 xfs_repair -n ours.img
	done
	cp --sparse=always full.img base.img
	operations=$((operations + 1))
}

# With done items in front of intents something is wrong, and is found.
found_out() {	# <operation> <inode>...
	local p

	for p in 1 2 3 4; do
		cp --sparse=always base.img ours.img
		expect_exit 0 "$leave" ours.img $p "$1!" "${@:2}"
		"$BUILD/xlog-recover" -q ours.img >/dev/null 2>&1 || true
		xfs_repair -n ours.img >/dev/null 2>&1 || return 0
	done
	fail "$1: the order of intent and done does not matter"
}

kernel=0
operations=0
make_base
cut truncate "$a"
cut move "$a"
cut share "$a" "$c"
found_out truncate "$a"
found_out share "$a" "$c"
attribute attr-set
attribute attr-replace
attribute attr-remove
make_base -i exchange=1
cut exchange "$a" "$b"
make_base -b size=1k
cut truncate "$a"
cut share "$a" "$c"
make_base -m rmapbt=0
cut truncate "$a"
cut move "$a"
[ $kernel -ge 40 ]
echo "$operations operations: finished as by the kernel"
