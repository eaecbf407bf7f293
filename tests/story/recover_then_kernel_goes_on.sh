#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was recovered, the kernel of this machine goes on with: it mounts it
# without a recovery of its own, works on it, files old and new, and unmounts it.
# Nothing is reported, what was not worked on is as it was, what was worked on
# is there after the next mount, and xfs_repair finds nothing wrong.
#
# ALL		non-empty, or IMAGES another folder: every image that this
#		kernel mounts, not only some
# OPERATIONS	so many on each (1500)
# XLOG_SEED	the first seed (1)
# XFS_REPAIR	a newer xfs_repair, for features that the system's does not
#		know. Without one it has to say no more than of the kernel's own
#		recovery after the same work.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_loop
need_kernel_xfs
need_command xz zstd "${XFS_REPAIR:=xfs_repair}"
[ "$IMAGES" = "$ROOT/tests/images" ] || ALL=1
: "${OPERATIONS:=1500}" "${XLOG_SEED:=1}"
some=' rmap-intents cow-cui-bui orphans parent-attri be612-live-s3 o510-intents-s1 '

mounted=
mounts=0
give_up() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
}

# mount_it WHAT: the devices WHAT.img and WHAT.log. They are detached at once,
# which comes true when they are unmounted.
mount_it() {
	local options=nouuid,noatime rc=0 loop logloop=

	loop=$(losetup --find --show "$1.img")
	device=${loop#/dev/}
	if [ -e "$1.log" ]; then
		logloop=$(losetup --find --show "$1.log")
		options+=,logdev=$logloop
	fi
	mark="xlog-$$ $name $((++mounts))"
	echo "$mark" >/dev/kmsg
	timeout 100 mount -t xfs -o "$options" "$loop" mnt 2>err || rc=$?
	losetup -d "$loop" ${logloop:+"$logloop"}
	[ $rc = 0 ] || return 1
	mounted=1
}

# What the kernel said of the device since it was to be mounted, until somebody
# else mounts there
messages() {
	dmesg | awk -v mark="$mark" -v of="($device)" '
		index($0, mark) { found = 1; mounts = 0; text = "" }
		!index($0, of) { next }
		/: Mounting V/ { mounts++ }
		mounts < 2 { text = text $0 "\n" }
		END { printf "%s", found ? text : "error: no mark in it" }'
}

release() {
	timeout 100 umount mnt || fail "$name: does not unmount"
	mounted=
	messages >said
}

no_complaint() {	# <when>
	! grep -iE 'recovery|corrupt|error|fail|shut|assert|warn' said >&2 ||
		fail "$name: $1"
}

look() {
	"$BUILD/tests/work/look" mnt | sort
}

work() {
	"$BUILD/tests/work/work" mnt "$OPERATIONS" "$seed"
}

repair() {	# <devices> <file for what it says>
	local options=()

	[ ! -e "$1.log" ] || options=(-l "$1.log")
	timeout 300 "$XFS_REPAIR" -n "${options[@]}" "$1.img" >"$2" 2>&1
}

# The same work after the kernel's own recovery, or that of the one that wrote it
repair_kernels() {
	local base=${image%.img.zst}

	rm -f now.*
	if [ -e "$base.recovered.zpatch" ]; then
		unpack_recovered "$base" dirty.img now.img
		chmod u+w now.img
	else
		again
		chmod u+w now.*
	fi
	mount_it now || fail "$name: the kernel does not recover it: $(messages)"
	work >/dev/null
	release
	! repair now theirs || fail "$name: xfs_repair, only after xlog-recover: $(cat ours)"
	kinds_of theirs >theirs.kinds
	kinds_of ours >ours.kinds
	[ -z "$(comm -13 theirs.kinds ours.kinds)" ] ||
		fail "$name: xfs_repair says more than of the kernel's recovery: $(comm -13 theirs.kinds ours.kinds)"
}

kinds_of() {
	sed -E 's/[0-9]+/N/g' "$1" | sort -u
}

goes_on() {
	local rc=0

	[ -n "${ALL:-}" ] || [[ $some = *" $name "* ]] || return 0
	[ "$rtdev" = - ] || { count realtime; return; }
	trap give_up EXIT
	mkdir mnt
	unpack_devices
	chmod u+w now.*
	"$XLOG_RECOVER" "${devices[@]}" now.img >out 2>err || rc=$?
	# others judge whether that is right
	[ $rc != 4 ] || { count refused; return; }
	[ $rc = 0 ] || fail "$name: exits with $rc: $(cat err)"
	seed=$((XLOG_SEED + $(cksum <<<"$name" | cut -d ' ' -f 1)))

	if ! mount_it now; then
		messages >said
		grep -E 'not supported by kernel|Not built with' said >/dev/null ||
			fail "$name: does not mount: $(cat said)"
		count unknown
		return
	fi
	look >before
	work >did || fail "$name: seed $seed: the work failed: $(messages)"
	look >after
	release
	no_complaint 'while it was worked on'
	repair now ours || rc=$?

	mount_it now || fail "$name: seed $seed: does not mount after the work"
	look >again
	release
	no_complaint 'at the mount after the work'
	diff after again >differ ||
		fail "$name: seed $seed: not as it was left: $(head -n 4 differ)"
	# path, inode number and time of change as before: then all else, too
	awk 'FILENAME == "before" { was[$1, $2, $3] = $0; next }
	     (($1, $2, $3) in was) {
		n++
		if (was[$1, $2, $3] != $0) { print; bad = 1 }
	     }
	     END { print n + 0 >"same"; exit bad }' before after >differ ||
		fail "$name: seed $seed: changed though not worked on: $(head -n 4 differ)"
	[ $rc = 0 ] || repair_kernels
	count operations "$(cut -d ' ' -f 1 did)"
	count same "$(cat same)"
	count objects "$(wc -l <again)"
	if [ $rc = 0 ]; then
		count repair
	else
		count alike
	fi
}

each_image goes_on
echo "$(counted repair) images as xfs_repair wants them, $(counted alike) as after the kernel's recovery," \
	"$(counted unknown) not mounted here, $(counted refused) refused, $(counted realtime) with realtime devices;" \
	"$(counted operations) operations, $(counted objects) objects, $(counted same) of them as before"
[ $(($(counted repair) + $(counted alike))) -ge 6 ] || fail 'too few images'
