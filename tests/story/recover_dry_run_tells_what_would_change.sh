#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -n in words: a summary, or a line for each buffer with -v. The device is
# opened for reading only, and neither its bytes nor its time change. With
# --stop-at a part is replayed.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
remember "$image"

expect_exit 4 "$XLOG_RECOVER" -n "$image"
[ ! -s err ] || fail "$(cat err)"
cat >want <<'END'
chmod-only.img: log dirty: tail 1:513 head 1:857, 1 checkpoint, 676 items
would change buffers: 1 agi, 1 inobt, 1 finobt, 24 inode
END
head -n 2 out | diff -u want - || fail 'the summary'
sed -n 3p out | grep -E '^would replay 3 buffers, 673 inodes; 0 intents pending; 0 unlinked inodes; [0-9]+ blocks to write$' >/dev/null ||
	fail "the counts: $(sed -n 3p out)"
[ "$(sed -n '4,$p' out)" = 'chmod-only.img: dirty, left as it is' ]
expect_exit 4 "$XLOG_RECOVER" -n -v "$image"
[ "$(grep -cE '^  daddr 0x[0-9a-f]+ len [0-9]+ +ag[0-3] +[a-z]+ +crc 0x[0-9a-f]{8} -> 0x[0-9a-f]{8}$' out)" = 27 ] ||
	fail 'not 27 buffers'
expect_exit 4 "$XLOG_RECOVER" -n -q "$image"
[ ! -s out ] || fail '-q: output'
# what is compressed can be looked at as well
expect_exit 4 "$XLOG_RECOVER" -n "$IMAGES/linux618/chmod-only.img.zst"
shows '1 checkpoint, 676 items'
is_untouched "$image"

# only a part
many=$(unpack "$IMAGES/linux618/bs1k.img.zst")
remember "$many"
expect_exit 4 "$XLOG_RECOVER" -n --stop-at='#3' "$many"
shows ', 3 checkpoints, '
shows 'at the stop: nothing on disk is newer'
lsn=$("$XLOG_PRINT" -t -n "$many" | sed -nE 's/^checkpoint ([0-9:]+)\..*/\1/p' | sed -n 3p)
cp out byNumber
expect_exit 4 "$XLOG_RECOVER" -n --stop-at="$lsn" "$many"
cmp out byNumber || fail 'by LSN it is another part'
expect_exit 4 "$XLOG_RECOVER" -n --stop-at=9:9 "$many"
shows ', 21 checkpoints, '
says 'not between tail and head'
expect_exit 4 "$XLOG_RECOVER" -n --stop-at=1:1 "$many"
shows 'would replay 0 buffers, 0 inodes'
says 'not between tail and head'
expect_exit 4 "$XLOG_RECOVER" -n --stop-at='#22' "$many"
shows ', 21 checkpoints, '
says 'does not hold so many checkpoints'
expect_exit 4 "$XLOG_RECOVER" -n --stop-at='#21' "$many"
[ ! -s err ] || fail "the last one: $(cat err)"
is_untouched "$many"
# the disk of an interrupted recovery is newer than a part of its log
half=$(unpack "$IMAGES/linux618/interrupted-plain.img.zst")
expect_exit 4 "$XLOG_RECOVER" -n --stop-at='#1' "$half"
shows 'this is no state that the filesystem ever had'

# last: it leaves out what the machine does not have
need_command strace
strace -o /dev/null true 2>/dev/null || skip 'needs the right to trace'
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
	strace -f -e trace=open,openat,openat2 -o trace \
	"$XLOG_RECOVER" -n "$image" >/dev/null || true
grep -qF "\"$image\", O_RDONLY" trace || fail 'not seen to be opened'
! grep -F "\"$image\"" trace | grep -E 'O_RDWR|O_WRONLY' >&2 ||
	fail 'opened for writing'
