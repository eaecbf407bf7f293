#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# No disk is eaten by accident: what is on the device, on that of the log too,
# is named and left; so are devices in use, and those that no filesystem like
# that fits on. One line, an exit status, and not a byte is another.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command flock mkfs.ext4 mkswap zstd

# --- what is there: only -f lets it go ---

blank log 32m
mkfs.ext4 -q -F -L PRECIOUS log
blank fs 32m
refused 4 'log: contains ext4 (label PRECIOUS); use -f to overwrite' fs log -- \
	-x -l logdev=log fs
refused 4 'log: contains ext4 (label PRECIOUS); use -f to overwrite' log -- -x log
refused 4 'log: contains ext4' log -- -x -N log
refused 4 'log: contains ext4' log -- --log-only \
	-m uuid=c68ab222-0000-1111-2222-333344445555 -l cycle=2 log
blank small 32m
refused 16 'a log of 33554432 bytes is too small, the minimum is 64m' small -- \
	--log-only -m uuid=c68ab222-0000-1111-2222-333344445555 -l cycle=2 small
mkswap -q -L HERE fs
refused 4 'fs: contains swap (label HERE); use -f to overwrite' fs -- -x fs
blank fs 32m
make_gpt fs
refused 4 'fs: contains gpt (partition table); use -f to overwrite' fs -- -x fs
blank fs 32m
{
	head -c 446 /dev/zero
	# one partition of Linux from sector 2048 on
	le 4 0
	le 4 131
	le 4 2048
	le 4 4096
	head -c 48 /dev/zero
	printf '\125\252'
} | dd of=fs conv=notrunc status=none
refused 4 'fs: contains dos (partition table)' fs -- -x fs
# a compressed image, which is a device to the other tools
head -c 32m /dev/urandom >fs
zstd -q -1 fs -o fs.zst
refused 4 'fs.zst: contains zstd; use -f to overwrite' fs.zst -- -x fs.zst
refused 4 'fs.zst: contains zstd; use -f to overwrite' fs.zst -- \
	-x -d size=32m -l logdev=fs.zst new
[ ! -e new ] || fail 'a filesystem without its log'
expect_exit 0 "$XLOG_MKFS" -x -q -f fs.zst
rm fs.zst
# a label does not talk to the terminal
blank fs 32m
mkfs.ext4 -q -F -L "$(printf 'a\033[31m\377\302\233\303\244')" fs
refused 4 'contains ext4 (label a?[31m???ä)' fs -- -x fs
# a file that is to grow is looked at as it is
blank fs 1m
mkswap -q fs
refused 4 'fs: contains swap' fs -- -x -d size=32m fs
refused 4 'fs: contains swap' fs -- -x --output=new fs
[ ! -e new ] || fail 'a file for no output'
# two filesystems, two lines
rc=0
"$XLOG_MKFS" -x -l logdev=log fs >out 2>err || rc=$?
[ $rc = 4 ] && [ "$(grep -c 'use -f' err)" = 2 ] || fail "both are told: $(cat err)"
expect_exit 0 "$XLOG_MKFS" -x -q -f -l logdev=log -d size=32m fs

# --- an XFS: clean, dirty, its log alone ---

rc=0
"$XLOG_MKFS" -x -l logdev=log fs >out 2>err || rc=$?
[ $rc = 4 ] && [ "$(grep -c 'use -f to' err)" = 2 ] ||
	fail "$(cat err)"
refused 4 'fs: contains xfs, and whether its log is dirty cannot be seen; use -ff to overwrite' \
	fs -- -x -f fs
"$XLOG_MKFS" -x -J -N fs >out 2>err && fail 'it goes'
grep '"contains":"xfs",.*"dirty":null' out >/dev/null || fail "$(cat out)"
expect_exit 0 "$XLOG_MKFS" -x -q -ff fs
refused 4 'fs: contains xfs; use -f to overwrite' fs -- -x fs
refused 4 'log: contains xfs_external_log; use -f to overwrite' fs log -- -x log
unpack "$IMAGES/linux618/wrapped.img.zst" dirty >/dev/null
for f in '' -f; do
	# shellcheck disable=SC2086 # words, or none
	refused 4 'dirty: contains xfs whose log is dirty: mount it, or run xlog-recover, first; use -ff to overwrite' \
		dirty -- -x $f dirty
done
# a log for the new one is not that of the old one
blank new 80m
refused 4 'dirty: contains xfs whose log is dirty: mount it' dirty new -- \
	-x -f -l logdev=new dirty
rm new
refused 4 'the log is dirty' dirty -- --log-only -f dirty
unpack "$IMAGES/linux618/extlog.img.logdev.zst" extlog >/dev/null
refused 4 'extlog: contains xfs_external_log whose log is dirty' extlog -- \
	-x -f -d size=32m -l logdev=extlog new
unpack "$IMAGES/linux618/extlog.img.zst" ext >/dev/null
rc=0
"$XLOG_MKFS" -x -f -l logdev=extlog ext >out 2>err || rc=$?
[ $rc = 4 ] && [ "$(grep -c 'use -ff' err)" = 2 ] ||
	fail "the log of a filesystem is looked at: $(cat err)"
rm ext extlog
expect_exit 0 "$XLOG_MKFS" -x -q -f -f dirty
expect_exit 0 "$XLOG_PRINT" --check dirty

# --- in use: nothing lets it go ---

mkfifo said
(
	exec 9>>fs
	flock 9
	echo locked
	exec sleep 60 >/dev/null
) >said &
pid=$!
read -r line <said && [ "$line" = locked ] || fail 'cannot lock'
for f in -f -ff; do
	refused 4 'fs: in use: locked by process' fs -- -x $f fs
done
refused 4 'fs: in use: locked by process' fs log -- -x -f -l logdev=fs log
expect_exit 0 "$XLOG_MKFS" -x -N -f fs
kill $pid
wait $pid 2>/dev/null || true

# --- no device, or none that will do ---

mkdir folder
mkfifo pipe
: >empty
refused 8 'nothing: No such file or directory; -d size=N makes a file' -- nothing
refused 8 'nothing: No such file or directory; -l size=N makes a file' -- \
	-l logdev=nothing fs
refused 8 '/dev/xlog-nothing: No such file or directory; -d file,size=N' -- \
	-d size=400m /dev/xlog-nothing
refused 8 'empty: is empty; -d size=N says how large it is to be' empty -- empty
refused 8 'folder: a directory' -- folder
refused 8 'folder: a directory' -- -d size=400m folder
refused 8 '/dev/null: a character device' -- /dev/null
refused 8 'pipe: a pipe' -- pipe
refused 8 'nowhere/fs: cannot be made: No such file or directory' -- \
	-d size=400m nowhere/fs
refused 8 'nowhere/fs: No such file or directory' -- nowhere/fs
refused 8 'nowhere/undo: ' fs -- -x -f -z nowhere/undo fs
refused 8 'empty: ' fs empty -- -x -f -z empty fs
refused 8 'empty: File exists' fs empty -- -x -f --output=empty fs
refused 16 'fs: this is the data device, not its log' fs -- -x -f -l logdev=fs fs
refused 16 'new: this is the data device, not its log' -- \
	-d size=400m -l logdev=new,size=64m new
refused 16 '-d file: /dev/null is no regular file' -- -d file,size=400m /dev/null
[ ! -e nothing ] || fail 'a file was made'

# --- a part of a device ---

blank whole 96m
mkfs.ext4 -q -F -L AROUND whole
refused 4 'whole: contains ext4 (label AROUND); use -f' whole -- -x --offset=4m whole
refused 4 'whole: contains ext4 (label AROUND); use -f' whole -- \
	-x --offset=4m -d size=32m whole
blank whole 96m
make_gpt whole
head -c 1m /dev/urandom >behind
dd if=behind of=whole bs=1M seek=33 conv=notrunc status=none
dd if=behind of=whole bs=1M seek=95 conv=notrunc status=none
refused 4 'whole: contains gpt (partition table); use -f' whole -- \
	-x --offset=1m -d size=32m whole
expect_exit 0 "$XLOG_MKFS" -x -q -f --offset=1m -d size=32m whole
for at in 33 95; do
	cmp -n 1048576 -i 0:$((at << 20)) behind whole
done
expect_exit 0 "$XLOG_PRINT" --check --offset=1m whole
rm whole

# --- sizes that cannot be ---

blank fs 32m
blank log 32m
refused 16 'Filesystem must be larger than 300MB.' fs -- fs
refused 16 'Filesystem must be larger than 300MB.' -- -d size=299m new
refused 16 'Log size must be at least 64MB.' -- -d size=400m,agcount=2 -l size=63m new
refused 16 'Filesystem must have at least 2 superblocks' -- -d size=400m,agcount=1 new
refused 16 'too small, minimum size is' -- -x -d size=400m -l size=4m new
refused 16 'must be larger' log -- -l logdev=log,size=32m -d size=200m new
refused 16 'specified for data subvolume is too large' fs -- -f --offset=1m -d size=400m fs
refused 16 'agsize (16385 blocks) too big' -- -x -d size=64m,agsize=67112960 new
refused 16 'too small, need at least 4096 blocks' -- -x -d size=64m,agcount=5 new
refused 16 'internal log size' -- -d size=400m -l size=390m new
refused 16 'log ag number 4 too large' -- -d size=400m -l agnum=4 new
refused 16 'block size 1024 cannot be smaller than sector size 4096' -- \
	-d size=400m -b size=1k -s size=4k new
refused 16 'illegal inode size 1024' -- -d size=400m -b size=1k -i size=1024 new
refused 16 'log stripe unit (1536) must be a multiple of the block size (4096)' -- \
	-d size=400m -l sunit=3 new
refused 16 'must be a multiple of the stripe unit' -- \
	-d size=400m,sunit=16,swidth=24 new
refused 16 'the offset is not a multiple' fs -- -x --offset=100 fs
[ ! -e new ] || fail 'a file is left behind'
# the output cannot be written: before anything else is
remember fs
rc=0
"$XLOG_MKFS" -x fs >/dev/full 2>err || rc=$?
[ $rc = 8 ] || fail "exit status $rc on a full disk"
says 'stdout: No space left on device'
is_untouched fs

[ "$(id -u)" != 0 ] && {
	chmod 0 fs
	refused 8 'fs: cannot be opened: Permission denied' -- -x fs
}
need_loop

# --- block devices ---

loop=
other=
mounted=
full=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ -z "$other" ] || losetup -d "$other" || true
	[ -z "$loop" ] || losetup -d "$loop" || true
	[ -z "$full" ] || timeout 60 umount full || true
}
trap cleanup EXIT
mkdir mnt full
blank fs 32m
blank log 32m
loop=$(losetup --find --show --read-only fs)
refused 8 "$loop: " fs -- -x "$loop"
losetup -d "$loop"
loop=$(losetup --find --show fs)
refused 4 "fs: in use: $loop" fs -- -x -ff fs
refused 4 "fs: in use: $loop" fs log -- -x -ff -l logdev=fs log
refused 16 'size 33558528 specified for data subvolume is too large' fs -- \
	-x -d size=33558528 "$loop"
refused 16 "-d file: $loop is no regular file" fs -- -x -d file,size=32m "$loop"
# held by someone who says nothing
cat >hold.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || open(argv[1], O_RDONLY | O_EXCL) < 0)
		return 1;
	if (write(1, "held\n", 5) != 5)
		return 1;
	pause();
	return 0;
}
END
"$CC" -o hold hold.c
./hold "$loop" >said &
pid=$!
read -r line <said && [ "$line" = held ] || fail 'cannot hold'
refused 4 "$loop: in use: another program holds it exclusively" fs -- -x -ff "$loop"
kill $pid
wait $pid 2>/dev/null || true
mkfs.ext4 -q "$loop"
timeout 60 mount "$loop" mnt
mounted=1
refused 4 "$loop: in use: mounted on $(realpath mnt)" -- -x -ff "$loop"
refused 4 "$loop: in use: mounted on $(realpath mnt)" log -- -x -ff -l logdev="$loop" log
# nor by another device over the same file
other=$(losetup --find --show fs)
refused 4 "$other: in use: its backing file, $loop, mounted on $(realpath mnt)" -- \
	-x -ff "$other"
refused 4 "$other: in use: its backing file, $loop, mounted" log -- \
	-x -ff -l logdev="$other" log
timeout 60 umount mnt
mounted=
refused 4 "$other: in use: its backing file, $loop" fs -- -x -ff "$other"
refused 16 "$other: this is the data device, not its log" fs -- \
	-x -ff -l logdev="$other" "$loop"
losetup -d "$other"
other=
refused 4 "$loop: contains ext4" fs -- -x "$loop"
expect_exit 0 "$XLOG_MKFS" -x -q -f "$loop"
losetup -d "$loop"
loop=
expect_exit 0 "$XLOG_PRINT" --check fs

# --- no space ---

timeout 60 mount -t tmpfs -o size=8m none full
full=1
refused 8 'No space left on device' -- -q -d size=320m full/fs
[ ! -e full/fs ] || fail 'a file that could not be made is left behind'
truncate -s 1m full/fs
expect_exit 12 "$XLOG_MKFS" -q -d size=320m full/fs
says 'No space left on device'
says 'full/fs: written in part, there is no filesystem on it now'
rm full/fs
# what is to grow finds no space: it is as it was
head -c 1m /dev/urandom >grows
cp grows full/fs
expect_exit 8 "$XLOG_MKFS" -q -f -d size=320m full/fs
says 'No space left on device'
cmp grows full/fs
rm full/fs
# what is there cannot be saved: it is left
head -c 32m /dev/urandom >old
remember old
expect_exit 8 "$XLOG_MKFS" -x -q -z full/undo -f old
says 'No space left on device'
is_untouched old
timeout 60 umount full
full=
echo 'signatures, users, sizes, files, full disks: refused, nothing written'
