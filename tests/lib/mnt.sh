# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For stories that have an image mounted by the kernel, one at a time, on mnt;
# after story.sh. The loop device goes with the mount, so that a story which is
# killed leaves none, and none is let go of that is somebody else's by then.
need_loop
need_kernel_xfs
mnt_image=

mnt_cleanup() {
	! mountpoint -q mnt || timeout 60 umount mnt || true
}
trap mnt_cleanup EXIT
mkdir mnt

mnt_mount() {	# <image>: false if the kernel does not
	local loop rc=0

	mnt_image=$1
	loop=$(losetup --find --show "$1")
	timeout 60 mount -t xfs -o nouuid "$loop" mnt || rc=$?
	losetup -d "$loop"
	return $rc
}

mnt_release() {
	timeout 60 umount mnt
	# until then the image is in use
	while [ -n "$(losetup --associated "$mnt_image")" ]; do
		:
	done
}
