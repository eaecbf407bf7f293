#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees as Linux would have them: of a folder of files of one block each, in an
# order that seems random, many become empty, once by the kernel and once by
# our transactions; and of a file of one extent, single blocks become holes. AGF,
# free list, the map of the file and all blocks of the trees of free space, of
# owners and of extents are the same then: what was split and joined, where, and
# which blocks the trees took.
#
# FILES		in the folder (2000)
# BLOCKS	of the file (4000)
# XLOG_SEED	what the order is made of (1)
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/mnt.sh"
need_command mkfs.xfs xfs_repair
: "${FILES:=2000}" "${BLOCKS:=4000}" "${XLOG_SEED:=1}"
frees=$BUILD/tests/agree/frees

attach() {	# <image>
	mnt_mount "$1" || fail "the kernel does not mount $1"
}

make_before() {	# <mkfs.xfs option>...
	rm -f before.img
	truncate -s 320m before.img
	mkfs.xfs -q -b size=1024 -d agcount=2 "$@" before.img
	attach before.img
}

# Both of them are what was before.
part() {
	mnt_release
	cp --sparse=always before.img kernel.img
	mv before.img ours.img
	attach kernel.img
}

same() {	# <what> [inode]
	"$frees" compare ours.img kernel.img "${@:2}" >out || {
		cat out >&2
		fail "trees differ: $1"
	}
}

# Enough of them that they were split?
expect_blocks() {	# <pattern of a line of the comparison>
	grep -E "^$1 blocks$" out >/dev/null ||
		fail "no trees to speak of: $(cat out)"
}

files() {	# <files to empty> <mkfs.xfs option>...
	make_before "${@:2}"
	mkdir mnt/d
	for f in $(seq -w "$FILES"); do
		echo x >"mnt/d/$f"
	done
	part
	"$frees" truncate mnt/d "$1" "$XLOG_SEED" >freed
	mnt_release
	"$frees" free ours.img <freed
	same "$* of $FILES files"
}

blocks() {	# <blocks to unmap> <mkfs.xfs option>...
	make_before "${@:2}"
	fallocate -l $((BLOCKS * 1024)) mnt/file
	inode=$(stat -c %i mnt/file)
	part
	"$frees" punch mnt/file "$1" "$XLOG_SEED" >freed
	mnt_release
	"$frees" unmap ours.img <freed
	same "$* of $BLOCKS blocks" "$inode"
}

files $((FILES * 3 / 4)) -m rmapbt=0,reflink=0
expect_blocks 'AG 0 bnobt: ([4-9]|[1-9][0-9])'
files "$FILES" -m rmapbt=1,reflink=1
blocks $((BLOCKS / 3)) -m rmapbt=0,reflink=0
expect_blocks 'AG 0 bnobt: ([4-9]|[1-9][0-9])'
expect_blocks 'bmbt: [1-9][0-9]'
blocks $((BLOCKS - 30)) -m rmapbt=1,reflink=1
