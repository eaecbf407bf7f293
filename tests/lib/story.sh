# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the shell stories share; each begins with
#	. "$ROOT/tests/lib/story.sh"
# The runner (tests/lib/run.sh) sets ROOT, BUILD, IMAGES, FIXTURES, XLOG_PRINT,
# XLOG_RECOVER, XLOG_MKFS, XLOG_BENCH and CC, and starts the story in an empty
# scratch folder.
set -eu -o pipefail
export DIFFER=$BUILD/tests/differ/differ	# cmp for images, see there

# Not here: say why and leave. With XLOG_REQUIRE_ALL the runner counts it as a
# failure.
skip() {
	echo "$*"
	exit 77
}

fail() {
	echo "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: $*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || skip 'needs root'
}

need_loop() {
	need_root
	losetup --find >/dev/null 2>&1 || skip 'needs loop devices'
}

need_kernel_xfs() {
	need_root
	grep -qw xfs /proc/filesystems || modprobe -q xfs 2>/dev/null || true
	grep -qw xfs /proc/filesystems || skip "needs the kernel's XFS"
}

need_command() {
	local c

	for c; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

# Built with the address sanitizer? Its leak checker and strace do not go
# together. Not with nm and a pipe: grep leaves early, and nm fails.
has_asan() {
	grep -qa __asan_init "$1"
}

# expect_exit STATUS COMMAND...: run, complain unless it exits so. Output goes
# to the files out and err of the scratch folder.
expect_exit() {
	local want=$1 rc=0

	shift
	"$@" >out 2>err || rc=$?
	[ $rc = "$want" ] && return
	echo "'$*' exits with $rc, expected $want" >&2
	head -n 20 out err >&2
	exit 1
}

# One line an image, tab-separated, of every MANIFEST.tsv below $IMAGES:
#	name image logdev rtdev state tail head records checkpoints items
#	outcome order
# logdev and rtdev are files or "-"; state is "clean" or "dirty"; tail and head
# are cycle:block, equal in a clean log; items are TYPE=COUNT sorted by type, or
# "-"; outcome is "ok" or begins with "refused"; order is le or be, what the
# record headers say.
# Records, checkpoints and items are those between the LSNs from and to. What
# follows is "-" where it is not known: the number of transactions without an
# end, the head that the writing kernel had before the log was spoilt by hand,
# and words that the reason of a refusal must have. log_bb is the size of the
# log in blocks of 512 bytes.
# Images unpacked on the way are none: the files are compressed.
images_table() {
	find -L "$IMAGES" -name MANIFEST.tsv | sort | while read -r manifest; do
		awk -F '\t' -v OFS='\t' -v dir="${manifest%/*}" \
			-f "$ROOT/tests/lib/manifest.awk" "$manifest"
	done
}

# unpack FILE.zst [NAME]: a sparse copy in the scratch folder; prints its name
unpack() {
	local to=${2:-$(basename "${1%.zst}")} from

	if from=$(unpacked_by_make "${1%.zst}" "$1"); then
		cp --sparse=always "$from" "$to"
	else
		zstd -dqf --sparse --long=31 "$1" -o "$to"
	fi
	chmod u+w "$to"
	echo "$to"
}

# unpacked FILE.zst: prints the name of the same file unpacked, which is shared
# by all tests: to be read only. (Or of a copy, if make has not unpacked it.)
unpacked() {
	unpacked_by_make "${1%.zst}" "$1" || unpack "$1"
}

unpacked_by_make() {	# <file below $IMAGES as it is called there> <made of>
	local file=$UNPACKED/${1#"$IMAGES"/}

	[ -n "$UNPACKED" ] && [ -e "$file" ] && [ ! "$file" -ot "$2" ] || return 1
	echo "$file"
}

# unpack_recovered BASE DIRTY NAME: what its kernel made of BASE.img, which is
# DIRTY, for images that have it as BASE.recovered.zpatch
unpack_recovered() {
	local patch=$1.recovered.zpatch from

	if from=$(unpacked_by_make "$1.recovered" "$patch"); then
		cp --sparse=always "$from" "$3"
	else
		zstd -dqf --sparse --long=31 --memory=2048MB \
			--patch-from="$2" "$patch" -o "$3"
	fi
}

# each_image FUNCTION: call it for every line of images_table, JOBS of them (2)
# at a time, in a folder of its own, with the columns as variables. What they
# print comes in the order of the table. Fails if one failed, or there is none.
each_image() {
	local row n=0 i rc=0

	images_table >table
	[ -s table ] || fail "no images below $IMAGES"
	: >counts
	while IFS= read -r row; do
		n=$((n + 1))
		[ $n -le "${JOBS:-2}" ] || wait -n || true
		one_image "$1" "$n" "$row" >"$n.out" 2>"$n.err" &
	done <table
	wait
	for ((i = 1; i <= n; i++)); do
		cat "$i.out"
		cat "$i.err" >&2
		[ -e "$i.passed" ] || rc=1
	done
	return $rc
}

one_image() {	# <function> <number> <row>
	mkdir "$2"
	cd "$2"
	# shellcheck disable=SC2034 # the function uses what it needs
	IFS=$'\t' read -r name image logdev rtdev state tail head records \
		checkpoints items outcome order uncommitted from to log_bb \
		written_head refusal <<<"$3"
	"$1"
	cd ..
	rm -rf "$2"
	: >"$2.passed"
}

# count WHAT [N]: in a function of each_image; counted WHAT: the sum
count() {
	echo "$1 ${2:-1}" >>../counts
}

counted() {
	awk -v what="$1" '$1 == what { n += $2 } END { print n + 0 }' counts
}
