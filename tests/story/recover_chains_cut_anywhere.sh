#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Deferred operations that are cut off between an intent and its done item, as
# kernels seldom leave them: what this kernel and xlog-recover make of such a
# log can be seen to be the same. With done items in front of their intents it
# is not.
#
# CHAINS=N	every Nth place of each image, not a few of them
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/mnt.sh"
need_command xfs_repair jq

# The kernel's own recovery. Nothing is mounted that xlog-recover and
# xfs_repair have not found sound: a mount that fails between replay and
# intents does not end.
kernel_recovers() {	# <image>
	mnt_mount "$1" || fail "$what: the kernel does not recover it"
	mnt_release
}

# An inode whose attribute is set again in shortform is touched now.
see() {
	"$BUILD/tests/agree/fslook" "$1" | sed 's/ ctime [0-9a-f]*//'
}

cut() {	# <image> <place> [break]
	local rc=0

	what="$1, cut at place $2"
	cp --sparse=always "$UNPACKED/linux618/$1.img" cut.img
	"$BUILD/tests/agree/stopat" cut.img "$2" ${3:+"$3"} >/dev/null || rc=$?
	[ $rc = 3 ] || fail "$what: was not, exit status $rc"
	"$XLOG_RECOVER" -n -J cut.img | jq -r 'select(.kind == "intent").item' >kinds || true
	[ -s kinds ] || [ -n "${3:-}" ] || fail "$what: no intent is left"
	cp --sparse=always cut.img ours.img
}

agrees() {	# <image> <place>
	cut "$1" "$2"
	sort -u kinds >>all_kinds
	"$XLOG_RECOVER" ours.img >out 2>&1 || fail "$what: $(cat out)"
	case $1 in
	exchange | parent*) ;;	# unknown to older ones
	*) xfs_repair -n ours.img >repair 2>&1 || fail "$what: $(tail -n 5 repair)" ;;
	esac
	kernel_recovers cut.img
	see ours.img >ours
	see cut.img >theirs
	diff theirs ours >differ ||
		fail "$what: other than the kernel's: $(head -n 8 differ)"
	n=$((n + 1))
}

n=0
: >all_kinds
for image in rmap-intents cow-cui-bui exchange parent-attri rmap-orphans; do
	cp --sparse=always "$UNPACKED/linux618/$image.img" cut.img
	places=$("$BUILD/tests/agree/stopat" cut.img 0)
	[ "$places" -gt 1 ] || fail "$image: only $places places"
	if [ -n "${CHAINS:-}" ]; then
		for ((at = 1; at <= places; at += CHAINS)); do
			agrees $image $at
		done
	else
		agrees $image 1
		agrees $image $((places / 2 + 1))
	fi
	echo "$image: $places places"
done
for kind in efi rui cui bui attri xmi; do
	grep -qx $kind all_kinds || fail "no $kind was cut off"
	echo "$kind: in $(grep -cx $kind all_kinds) of them"
done
echo "$n chains cut off: as the kernel finishes them"

# done items in front of their intents: then what was done is done again
wrong=0
for at in 2 5 9; do
	cut cow-cui-bui $at break
	"$XLOG_RECOVER" ours.img >out 2>&1 &&
		xfs_repair -n ours.img >repair 2>&1 || wrong=$((wrong + 1))
done
[ $wrong -gt 0 ] || fail 'the order of intents and done items does not matter'
