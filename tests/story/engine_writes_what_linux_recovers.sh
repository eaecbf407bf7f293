#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the log engine has written when power fails, the kernel of this machine
# recovers: it shows the same files as after xlog-recover, and xfs_repair finds
# nothing wrong.
. "$ROOT/tests/lib/story.sh"
need_loop
need_kernel_xfs
need_command xfs_repair xfs_logprint
: "${CRASHES:=4}"

loop=
cleanup() {
	! mountpoint -q mnt || timeout 60 umount mnt || true
	[ -z "$loop" ] || losetup -d "$loop" || true
}
trap cleanup EXIT
mkdir mnt

look() {	# <image> <mount options> <losetup option>...
	loop=$(losetup --find --show "${@:3}" "$1")
	timeout 60 mount -t xfs -o "nouuid,$2" "$loop" mnt ||
		fail "seed $seed: the kernel does not mount $1"
	(cd mnt && find . -printf '%p %i %y %m %U %G %s %n\n' | sort)
	timeout 60 umount mnt
	losetup -d "$loop"
	loop=
}

replayed=0
for ((seed = 1; seed <= CRASHES; seed++)); do
	"$BUILD/tests/story/engine_changes_inodes" \
		"$IMAGES/linux618/chmod-only.img.zst" kernel.img $seed >told
	cp --sparse=always kernel.img ours.img
	# not the records behind the head, which may be torn
	xfs_logprint -t kernel.img >printed 2>&1 ||
		fail "seed $seed: xfs_logprint does not read it"
	"$XLOG_RECOVER" ours.img >out 2>err || { cat err >&2; fail "seed $seed"; }
	! grep -q '^replayed' out || replayed=$((replayed + 1))
	look kernel.img rw >want
	look ours.img ro,norecovery -r >have
	diff -u want have >&2 || fail "seed $seed: the kernel recovers something else"
	xfs_repair -n ours.img >repair 2>&1 || { cat repair >&2; fail "seed $seed: xfs_repair"; }
	xfs_repair -n kernel.img >repair 2>&1 || { cat repair >&2; fail "seed $seed: xfs_repair of the kernel's"; }
done
[ $replayed -gt 0 ] || fail 'nothing was ever replayed'
