#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The kernel of this machine as judge: what was recovered passes xfs_repair -n,
# mounts without another recovery, and shows the same files as what the kernel
# recovered itself. Logs that no kernel recovers show what a filesystem that
# never crashed does.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_loop
need_kernel_xfs
need_command jq xz zstd xfs_repair

loop=
mounted=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ -z "$loop" ] || losetup -d "$loop" || true
}
trap cleanup EXIT
mkdir mnt

attach() {	# <image> <losetup option>...
	loop=$(losetup --find --show "${@:2}" "$1")
}

release() {
	[ -z "$mounted" ] || timeout 60 umount mnt
	mounted=
	losetup -d "$loop"
	loop=
}

mount_it() {	# <options>
	timeout 60 mount -t xfs -o "nouuid,$1" "$loop" mnt || return 1
	mounted=1
}

# What the kernel said of the device since the mark
messages() {
	dmesg | sed -n "/$1/,\$p" | grep -F "(${loop#/dev/})" || true
}

# What can be seen of the files: names, attributes, times, sizes, contents
look() {	# <image>
	attach "$1" -r
	mount_it ro,norecovery || fail "$name: cannot look at $1"
	(
		cd mnt
		find . -printf '%p %i %y %m %U %G %s %b %n %T@ %C@ %A@ %l\n' | sort
		find . -type f -print0 | sort -z | xargs -0r sha256sum
		if command -v getfattr >/dev/null; then
			find . -print0 | sort -z | xargs -0r getfattr -hdm - 2>/dev/null
		fi
	)
	release
}

agrees() {	# <name> [truth]
	local mark=xlog-$$-$RANDOM want

	name=$1
	zstd -dqf --sparse "$IMAGES/linux618/$name.img.zst" -o now.img
	cp --sparse=always now.img kernel.img
	recover 0
	xfs_repair -n now.img >repair 2>&1 || {
		# an older xfs_repair calls some sound images corrupt, but then
		# also what the kernel makes of them
		cp repair repair.ours
		want=kernel
	}

	if [ -n "${2:-}" ]; then
		xz -dc "$IMAGES/linux618/$name.truth.xz" |
			"$BUILD/tests/truth/apply_delta" kernel.img
	else
		attach kernel.img
		mount_it rw || fail "$name: the kernel does not recover it"
		release
	fi
	if [ -n "${want:-}" ]; then
		xfs_repair -n kernel.img >repair 2>&1 || true
		diff -u <(grep -v -- '- agno = ' repair) \
			<(grep -v -- '- agno = ' repair.ours) ||
			fail "$name: xfs_repair says more than of the kernel's recovery"
	fi
	look now.img >ours
	look kernel.img >theirs
	diff -u theirs ours || fail "$name: other files than the kernel's recovery has"
	[ "$(wc -l <ours)" -gt 10 ] || fail "$name: nothing to compare"

	# a mount that changes nothing but what any mount does
	cp --sparse=always now.img mounted.img
	attach mounted.img
	echo "$mark" >/dev/kmsg 2>/dev/null || mark=
	mount_it rw || fail "$name: does not mount"
	[ -z "$mark" ] || messages "$mark" >said
	release
	[ -z "$mark" ] || ! grep -qiE 'Starting recovery|corrupt|error' said ||
		fail "$name: $(cat said)"
	look mounted.img >ours
	diff -u theirs ours || fail "$name: a mount changes files"
	n=$((n + 1))
	files=$((files + $(grep -c '^\.' ours || true)))
}

n=0
files=0
for name in chmod-only dir8k xattrs bs1k wrap256k; do
	agrees $name
done
agrees truth-swapext truth
echo "$n images, $files files: as the kernel has them"
