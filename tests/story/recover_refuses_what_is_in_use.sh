#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing is recovered while somebody else uses it: a file behind a loop device
# that is mounted, that device, a file that another process has locked. The user
# is named, nothing is written. A dry run only reads, and may.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_command flock zstd

lock_program() {
	cat >lock.c <<-'END'
	#define _GNU_SOURCE
	#include <fcntl.h>
	#include <unistd.h>

	int main(int argc, char **argv)
	{
		struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;

		if (fd < 0 || fcntl(fd, F_OFD_SETLK, &all))
			return 1;
		if (write(1, "locked\n", 7) != 7)
			return 1;
		pause();
		return 0;
	}
	END
	"$CC" -o lock lock.c
}

refused() {	# <what> <words> <device>
	local what=$1 words=$2 device=$3

	expect_exit 4 timeout 60 "$XLOG_RECOVER" "$device"
	grep -qi 'in use' err || grep -qi 'lock' err ||
		fail "$what: not why: $(cat err)"
	grep -qF -- "$words" err || fail "$what: not by whom: $(cat err)"
	cmp dirty.img now.img || fail "$what: the file has changed"
	# writing by another way is refused too
	expect_exit 4 timeout 60 "$XLOG_RECOVER" -z journal "$device"
	[ ! -e journal ] || fail "$what: a journal is left behind"
	cmp dirty.img now.img || fail "$what: the file has changed"
}

unpack "$IMAGES/linux618/chmod-only.img.zst" dirty.img >/dev/null
cp --sparse=always dirty.img now.img

# --- locked ---

lock_program
mkfifo said
./lock now.img >said &
pid=$!
read -r line <said && [ "$line" = locked ] || fail 'cannot lock'
refused 'an OFD lock' now.img now.img
kill $pid
wait $pid 2>/dev/null || true

(
	exec 9>>now.img
	flock 9
	echo locked
	exec sleep 60 >/dev/null
) >said &
pid=$!
read -r line <said && [ "$line" = locked ] || fail 'cannot lock'
expect_exit 4 timeout 60 "$XLOG_RECOVER" --lock=nonblock now.img
grep -qi lock err || fail "a BSD lock: $(cat err)"
cmp dirty.img now.img || fail 'a BSD lock: the file has changed'
kill $pid
wait $pid 2>/dev/null || true

# --- mounted ---

if [ "$(id -u)" != 0 ] || ! losetup --find >/dev/null 2>&1 ||
   ! grep -qw xfs /proc/filesystems; then
	skip 'locked files are refused; mounts need root, loop devices and XFS'
fi
loop=
other=
mounted=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ -z "$other" ] || losetup -d "$other" || true
	[ -z "$loop" ] || losetup -d "$loop" || true
}
trap cleanup EXIT
mkdir mnt
loop=$(losetup --find --show now.img)
refused 'behind a loop device' "$loop" now.img
# without recovery nothing is written, and the log stays as it is
timeout 60 mount -t xfs -o ro,norecovery,nouuid "$loop" mnt
mounted=1
where=$(realpath mnt)
refused 'behind a mounted loop device' "$where" now.img
refused 'a mounted block device' "$where" "$loop"
other=$(losetup --find --show now.img)
refused 'another device over a mounted file' "$loop, mounted on $where" "$other"
losetup -d "$other"
other=
expect_exit 4 "$XLOG_RECOVER" -n now.img
grep -q 'dirty' out err || fail 'a dry run beside a mount'
timeout 60 umount mnt
mounted=

# the device alone is free, and recovered as the file would be
expect_exit 0 "$XLOG_RECOVER" "$loop"
losetup -d "$loop"
loop=
expect_exit 0 "$XLOG_PRINT" --check now.img
echo 'locked, behind loop devices, mounted: refused, the user named'
