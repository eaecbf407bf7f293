#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Free space as Linux would have it: of a folder of files of one block each, in
# an order that seems random, many become empty, once by the kernel and once by
# our transactions. AGF, free list and all blocks of the trees of free space
# and of owners are the same then: what was split and joined, where, and which
# blocks the trees took.
#
# FILES		in the folder (3000)
# XLOG_SEED	what the order is made of (1)
. "$ROOT/tests/lib/story.sh"
need_loop
need_kernel_xfs
need_command mkfs.xfs xfs_repair
: "${FILES:=3000}" "${XLOG_SEED:=1}"
frees=$BUILD/tests/agree/frees

loop=
cleanup() {
	! mountpoint -q mnt || timeout 60 umount mnt || true
	[ -z "$loop" ] || losetup -d "$loop" || true
}
trap cleanup EXIT
mkdir mnt

attach() {	# <image>
	loop=$(losetup --find --show "$1")
	timeout 60 mount -t xfs -o nouuid "$loop" mnt ||
		fail "the kernel does not mount $1"
}

release() {
	timeout 60 umount mnt
	losetup -d "$loop"
	loop=
}

compare() {	# <files to empty> <mkfs.xfs option>...
	local count=$1

	shift
	rm -f before.img
	truncate -s 320m before.img
	mkfs.xfs -q -b size=1024 -d agcount=2 "$@" before.img
	attach before.img
	mkdir mnt/d
	for f in $(seq -w "$FILES"); do
		echo x >"mnt/d/$f"
	done
	release
	cp --sparse=always before.img kernel.img
	mv before.img ours.img
	attach kernel.img
	"$frees" truncate mnt/d "$count" "$XLOG_SEED" >freed
	release
	"$frees" free ours.img <freed
	"$frees" compare ours.img kernel.img >out || {
		cat out >&2
		fail "trees differ: $* with $count files empty"
	}
	# enough of them that they were split, and not all of one level
	[ "$count" = "$FILES" ] ||
		grep -E '^AG 0 bnobt: ([5-9]|[1-9][0-9]) blocks$' out >/dev/null ||
		fail "no trees to speak of: $(cat out)"
}

compare $((FILES / 2)) -m rmapbt=0,reflink=0
compare $((FILES * 3 / 4)) -m rmapbt=1,reflink=0
compare "$FILES" -m rmapbt=1,reflink=1
