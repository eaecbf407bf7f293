#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --target replays a copy: the same as in place, the original untouched, holes
# kept, what is compressed unpacked, an external log copied too. Nothing is
# replaced unasked, and nothing is left that is not a replayed copy.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
packed=$IMAGES/linux618/chmod-only.img.zst
image=$(unpack "$packed")
remember "$image"

cp --sparse=always "$image" want
expect_exit 0 "$XLOG_RECOVER" want
expect_exit 0 "$XLOG_RECOVER" --target=copy "$image"
[ ! -s err ] || fail "$(cat err)"
shows "$image: log dirty: "
shows 'copy: clean (unmount record at '
cmp copy want || fail 'a copy is replayed to something else'
is_untouched "$image"
used=$(stat -c %b copy)
[ "$used" -le $((2 * $(stat -c %b "$image"))) ] ||
	fail "the copy has no holes: $used blocks"

# unpacked on the way; a file can be read-only, and its folder
expect_exit 0 "$XLOG_RECOVER" --target=copy2 "$packed"
cmp copy2 want || fail 'a compressed image is replayed to something else'
head -c 3000000 "$image" >half
tail -c +3000001 "$image" >rest
zstd -q half rest
cat half.zst rest.zst >two.zst
expect_exit 0 "$XLOG_RECOVER" --target=copy3 two.zst
cmp copy3 want || fail 'an image of two frames'
rm copy2 copy3 half rest half.zst rest.zst two.zst

# a part of it
expect_exit 4 "$XLOG_RECOVER" --stop-at='#1' --target=part "$image"
shows 'part: dirty'
is_untouched "$image"
rm part

# files are not replaced, but on request; the original never is
echo precious >copy
expect_exit 8 "$XLOG_RECOVER" --target=copy "$image"
says 'copy: File exists; --force=output replaces it'
[ "$(cat copy)" = precious ] || fail 'a file was replaced'
expect_exit 0 "$XLOG_RECOVER" --target=copy --force=output "$image"
cmp copy want
ln "$image" link
ln -s "$image" symlink
for to in "$image" link symlink; do
	expect_exit 8 "$XLOG_RECOVER" --target="$to" --force=output "$image"
	says 'is the input'
done
expect_exit 8 "$XLOG_RECOVER" --target=nowhere/copy "$image"
[ ! -e nowhere ]
is_untouched "$image"
rm copy link symlink

# with an external log both are copied, and neither original is touched
fs=$(unpack "$IMAGES/linux618/extlog.img.zst")
log=$(unpack "$IMAGES/linux618/extlog.img.logdev.zst")
remember "$fs" "$log"
rc=0
"$XLOG_RECOVER" --iunlinks=leave -l "$log" --target=copy "$fs" >out 2>err || rc=$?
[ $rc = 0 ] || [ $rc = 4 ] || fail "external log: exit status $rc: $(cat err)"
is_untouched "$fs" "$log"
[ -e copy ] && [ -e copy.logdev ] || fail 'external log: not both are copied'
cmp -s copy.logdev "$log" && fail 'external log: that of the copy was not ended'
rm copy copy.logdev
echo precious >copy.logdev
expect_exit 8 "$XLOG_RECOVER" -l "$log" --target=copy "$fs"
[ "$(cat copy.logdev)" = precious ] || fail 'a log was replaced'
[ ! -e copy ] || fail 'a copy without its log was left'
rm copy.logdev

# what is refused leaves no copy
fs=$(unpack "$IMAGES/linux618/rmap-intents.img.zst")
expect_exit 4 "$XLOG_RECOVER" --intents=refuse --target=copy "$fs"
shows "$fs: dirty, left as it is"
[ ! -e copy ] || fail 'a copy that was refused was left'
head -c 30000 "$packed" >cut.zst
expect_exit 8 "$XLOG_RECOVER" --target=copy cut.zst
says 'cut.zst: cut short'
[ ! -e copy ] || fail 'a copy of half an image was left'
head -c 20000 "$packed" >bad.zst
head -c 40000 /dev/zero >>bad.zst
expect_exit 8 "$XLOG_RECOVER" --target=copy bad.zst
says 'bad.zst: cannot be unpacked'
[ ! -e copy ] || fail 'a copy of a damaged image was left'
echo 'no image' | zstd -q >none.zst
expect_exit 8 "$XLOG_RECOVER" --target=copy none.zst
says 'neither an XFS filesystem nor an XFS log'
[ ! -e copy ] || fail 'a copy of no image was left'

# no room for it: a limit on the size of files stands for a full disk
(
	ulimit -f 1024
	trap '' XFSZ
	expect_exit 8 "$XLOG_RECOVER" --target=copy "$image"
)
says 'copy: File too large'
[ ! -e copy ] || fail 'half a copy was left'

# interrupted while it waits for the lock of a reader, it does not begin
exec 5<"$image"
flock -x 5
expect_exit 4 "$XLOG_RECOVER" --lock=nonblock --target=copy "$image"
says 'locked by another process'
expect_exit 0 "$XLOG_RECOVER" --target=copy "$image"
rm copy
"$XLOG_RECOVER" --lock=yes --target=copy "$image" >out 2>err &
pid=$!
# until it waits for the lock
while ! grep -qE -- "-> FLOCK .* $pid " /proc/locks; do
	kill -0 $pid || fail 'a lock was not waited for'
	sleep 0.01
done
kill -TERM $pid
rc=0
wait $pid || rc=$?
flock -u 5
[ $rc = 32 ] || fail "interrupted: exit status $rc"
says 'interrupted'
[ ! -e copy ] || fail 'an interrupted copy was left'
is_untouched "$image"

# a block device is copied as it is
[ "$(id -u)" = 0 ] && losetup --find >/dev/null 2>&1 ||
	skip 'copied; a block device to copy needs root and loop devices'
loop=$(losetup -r --find --show "$image")
trap 'losetup -d "$loop"' EXIT
expect_exit 0 "$XLOG_RECOVER" --target=copy "$loop"
cmp copy want || fail 'the copy of a block device'
[ "$(stat -c %b copy)" -le $((2 * $(stat -c %b "$image"))) ] ||
	fail 'the copy of a block device has no holes'
