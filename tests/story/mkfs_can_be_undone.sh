#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -z: what is overwritten can be put back, byte for byte, on the device, on that
# of the log, and a file that grew gets its old length.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command mkfs.ext4

same() {	# <file>...
	local f

	for f; do
		cmp "$f" "$f.before" || fail "$what: $f is not as it was"
	done
}

keep() {
	local f

	for f; do
		cp --sparse=always "$f" "$f.before"
	done
}

undo() {	# <option>... <device>
	expect_exit 0 "$XLOG_RECOVER" --undo-apply=undo "$@"
}

what='an old filesystem'
blank fs 48m
mkfs.ext4 -q -F -L PRECIOUS fs
blank log 32m
head -c 20m /dev/urandom | dd of=log conv=notrunc status=none
keep fs log
expect_exit 0 "$XLOG_MKFS" -x -f -z undo fs
shows 'to undo: xlog-recover --undo-apply=undo fs'
cp --sparse=always fs made
undo fs
same fs
# again, and of one that was cut off
undo fs
dd if=made of=fs bs=4096 count=3 conv=notrunc status=none
undo fs
same fs
rm undo

what='with an external log'
expect_exit 0 "$XLOG_MKFS" -x -f -z undo -l logdev=log fs
shows 'to undo: xlog-recover --undo-apply=undo -l log fs'
expect_exit 0 "$XLOG_PRINT" --check -l log fs
undo -l log fs
same fs log
rm undo

what='a log alone'
expect_exit 0 "$XLOG_MKFS" -x -q -f -l logdev=log fs
keep fs log
expect_exit 0 "$XLOG_MKFS" --log-only --for=fs -z undo log
shows 'to undo: xlog-recover --undo-apply=undo -l log fs'
undo -l log fs
same fs log
rm undo

what='files that grew'
head -c 1000000 /dev/urandom >fs
head -c 5000 /dev/urandom >log
keep fs log
expect_exit 0 "$XLOG_MKFS" -x -q -z undo -d size=32m -l logdev=log,size=16m fs
[ "$(stat -c %s fs log | paste -sd ' ')" = '33554432 16777216' ] || fail "$what: they did not"
expect_exit 0 "$XLOG_PRINT" --check -l log fs
undo -l log fs
same fs log
undo -l log fs
same fs log
rm undo

what='an empty file'
: >empty
keep empty
expect_exit 0 "$XLOG_MKFS" -x -q -z undo -d size=32m empty
undo empty
same empty
rm undo

what='somewhere inside'
head -c 40m /dev/urandom >fs
keep fs
expect_exit 0 "$XLOG_MKFS" -x -q -f -z undo --offset=4m fs
expect_exit 0 "$XLOG_PRINT" --check --offset=4m fs
head -c 4m fs | cmp - <(head -c 4m fs.before) || fail "$what: what is before it"
undo --offset=4m fs
same fs
rm undo

what='a name of its own'
blank fs 32m
keep fs
mkdir undos
XLOG_UNDO_DIR=$PWD/undos expect_exit 0 "$XLOG_MKFS" -x -q -z '' ./fs
expect_exit 0 "$XLOG_RECOVER" --undo-apply=undos/xlog-mkfs-fs.undo fs
same fs

# nothing is discarded that would have to be put back
what='holes'
head -c 32m /dev/zero | tr '\0' x >fs
keep fs
expect_exit 0 "$XLOG_MKFS" -x -q -z undo fs
undo fs
same fs
rm undo
# and where nothing is written, no undo file is left
expect_exit 16 "$XLOG_MKFS" -q -z undo fs
[ ! -e undo ] || fail 'an undo file of nothing'
same fs
