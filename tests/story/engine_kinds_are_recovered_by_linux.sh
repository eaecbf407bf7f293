#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Transactions over objects of every kind end in a power failure, and the
# kernel of this machine recovers what xlog-recover does: inodes with all of
# their forks, roots of btrees in both among them, blocks that were freed and
# became something else, new inodes, and chunks of them that were freed again.
# Version 4, which that kernel may not know, and logs of version 1 are
# recovered by xlog-recover.
#
# CRASHES	of each filesystem (3)
# XLOG_SEED	the first seed (1)
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/mnt.sh"
need_command mkfs.xfs xfs_repair xfs_logprint
: "${CRASHES:=3}" "${XLOG_SEED:=1}"
engine=$BUILD/tests/story/engine_changes_every_kind

linux_recovers() {	# <image>
	mnt_mount "$1" || fail "$what: the kernel does not mount $1"
	mnt_release
}

judged() {	# <image>: is it as after one of them? Which one is in $told
	told=$("$engine" judge "$1" crashed.img 2>err) ||
		fail "$what: $1: $(cat err)"
	# no more than before: it does not know all features, nor that the
	# target of a symbolic link may lie outside though there is room for it
	if ! xfs_repair -n "$1" >repair 2>&1 && [ -z "$spoilt" ]; then
		cat repair >&2
		fail "$what: xfs_repair of $1"
	fi
}

begin() {	# <base>
	total=$((total + 1))
	spoilt=
	xfs_repair -n "$1.base" >repair 2>&1 || spoilt=yes
}

one() {	# <base> <seed>
	what="$1, seed $2"
	"$engine" make "$1.base" crashed.img "$2" || fail "$what"
	xfs_logprint -t crashed.img >out 2>err ||
		fail "$what: xfs_logprint: $(tail -n 3 err)"
	cp --sparse=always crashed.img ours.img
	"$XLOG_RECOVER" ours.img >out 2>err || { cat err >&2; fail "$what"; }
	judged ours.img
	ours=$told
	crashes=$((crashes + 1))
	[ -n "$spoilt" ] || repaired=$((repaired + 1))
}

total=0
crashes=0
repaired=0

# --- version 5 ---

for base in parent-attri bs1k isize1024 sect4k; do
	unpack "$IMAGES/linux618/$base.img.zst" "$base.base" >out
	linux_recovers "$base.base"
	begin $base
	for ((n = 0; n < CRASHES; n++)); do
		one $base $((XLOG_SEED + n))
		linux_recovers crashed.img
		judged crashed.img
		[ "$told" = "$ours" ] || fail "$what: $told, xlog-recover: $ours"
	done
	rm "$base.base"
done

# --- version 4 ---

old_base() {	# <name> <mkfs.xfs option>...
	truncate -s 320m "$1.base"
	mkfs.xfs -q -m crc=0,finobt=0 "${@:2}" "$1.base" >out 2>&1 ||
		{ cat out >&2; fail "mkfs.xfs $*"; }
	begin "$1"
	for ((n = 0; n < CRASHES; n++)); do
		one "$1" $((XLOG_SEED + n))
	done
}

old_base v4 -b size=4096
old_base v4_log_v1 -b size=1024 -l version=1
old_base v4_eager -l version=1,lazy-count=0
old_base v4_isize512 -i size=512 -b size=2048
[ $repaired -gt 0 ] || fail 'xfs_repair has seen none of them'
echo "$crashes crashes of $total filesystems, $repaired judged by xfs_repair"
