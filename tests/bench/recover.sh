#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# recover.sh XLOG_RECOVER: how long it takes to recover a dirty image, and how
# long the kernel's mount and unmount of the same image take on a loop device,
# both up to the final flush, with nothing of the image in the page cache. Each
# figure is the median of 5, all in one run; first where most of it is replay,
# then where most is what replay leaves to be finished. As root.
# BENCH_DIR: a folder on the disk to measure on (default: in /var/tmp), with
# room for twice the images. BENCH_LIVE: MiB of live log to try. BENCH_LEFT:
# images to finish, of tests/images/linux618, or FILESxEXTENTS: so many unlinked
# files of so many extents.
set -euo pipefail
recover=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
runs=${BENCH_RUNS:-5}
[ "$(id -u)" = 0 ] || { echo 'bench: needs root, for the mounts it measures' >&2; exit 77; }
dir=${BENCH_DIR:-$(mktemp -d /var/tmp/xlog-bench.XXXXXX)}
mkdir -p "$dir/mnt"
interval=/proc/sys/fs/xfs/xfssyncd_centisecs
mnt='' loop='' before=''
cleanup() {
	[ -z "$mnt" ] || timeout 100 umount "$mnt" || true
	[ -z "$loop" ] || losetup -d "$loop" || true
	[ -z "$before" ] || echo "$before" >$interval
	[ -n "${BENCH_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT
${CC:-cc} -O2 -o "$dir/load" "$here/load.c"
${CC:-cc} -O2 -o "$dir/measure" "$here/measure.c"
${CC:-cc} -O2 -o "$dir/hold" "$here/hold.c"

# make_image FILE LOG-MIB LIVE-MIB: nothing is written back on the way, so that
# all of it is live
make_image() {
	modprobe -q xfs 2>/dev/null || true
	[ -n "$before" ] || before=$(cat $interval)
	echo 720000 >$interval
	truncate -s 24g "$1"
	mkfs.xfs -q -f -l "size=${2}m" "$1"
	timeout 100 mount -o loop,logbsize=256k "$1" "$dir/mnt"
	mnt=$dir/mnt
	# some 900 bytes of log an operation
	"$dir/load" "$mnt" $(($3 * 1160)) 1
	# inodes that were unlinked are freed in the background: none is left
	stat -f "$mnt" >"$dir/out"
	sleep 3
	xfs_io -x -c 'shutdown -f' "$mnt"
	timeout 100 umount "$mnt"
	mnt=
	echo "$before" >$interval
}

# make_unlinked FILE FILES EXTENTS
make_unlinked() {
	truncate -s 8g "$1"
	mkfs.xfs -q -f -l size=512m "$1"
	timeout 100 mount -o loop "$1" "$dir/mnt"
	mnt=$dir/mnt
	"$dir/hold" "$mnt" "$2" "$3" xfs_io -x -c 'shutdown -f' "$mnt"
	timeout 100 umount "$mnt"
	mnt=
}

fresh() {	# <image>: a copy that is on the disk and not in memory
	rm -f "$dir/copy"
	cp --sparse=always "$1" "$dir/copy"
	sync "$dir/copy"
	echo 1 >/proc/sys/vm/drop_caches
}

by_us() {
	fresh "$1"
	"$dir/measure" "$recover" -J -m "$memory" "$dir/copy" 2>"$dir/err" >"$dir/out" ||
		{ cat "$dir/err" >&2; return 1; }
	tail -n 1 "$dir/err"
}

by_kernel() {
	local start end

	fresh "$1"
	loop=$(losetup --find --show "$dir/copy")
	start=$(date +%s.%N)
	timeout 590 mount -t xfs "$loop" "$dir/mnt"
	mnt=$dir/mnt
	timeout 590 umount "$mnt"
	end=$(date +%s.%N)
	mnt=
	losetup -d "$loop"
	loop=
	awk -v a="$start" -v b="$end" 'BEGIN { print b - a }'
}

median() {	# <function> <image>: the line with the median of its first figure
	for _ in $(seq "$runs"); do
		"$1" "$2"
	done | sort -n | sed -n "$(((runs + 1) / 2))p"
}

field() {
	tail -n 1 "$dir/out" | sed -nE "s/.*\"$1\":([0-9]+).*/\1/p"
}

for live in ${BENCH_LIVE:-16 256 1500}; do
	log=$((live < 512 ? 512 : 2000))
	img=$dir/$live.img
	echo "making $live MiB of live log ..." >&2
	make_image "$img" $log "$live"
	for memory in 512 128; do	# the default, and less
		[ "$memory" = 512 ] || [ "$live" -gt 200 ] || continue
		t=$(median by_us "$img")
		k=${k:-$(median by_kernel "$img")}
		read -r s kib bytes <<<"$t"
		awk -v l="$("$recover" -n "$img" 2>&1 | sed -nE '1 s/.*log dirty: (.*)/\1/p')" \
			-v m=$memory -v s="$s" -v k="$k" -v p="$kib" -v r="$bytes" \
			-v w="$(field blocks_written)" -v n="$(field windows)" 'BEGIN {
			printf "%s: xlog-recover -m %d %.2f s, mount and unmount %.2f s, ratio %.1f; peak %d MiB, %d MiB read, %d MiB written, %d windows\n",
				l, m, s, k, k / s, p / 1024, r / 1048576, w / 2048, n }'
	done
	k=''
	rm -f "$img"
done

for left in ${BENCH_LEFT-cow-cui-bui rmap-bui-snap orphans rmap-intents nofinobt 4000x10 4000x50}; do
	img=$dir/$left.img
	case $left in
	[0-9]*x*) make_unlinked "$img" "${left%x*}" "${left#*x}" ;;
	*) zstd -dqf --sparse "$here/../images/linux618/$left.img.zst" -o "$img" ;;
	esac
	memory=512
	t=$(median by_us "$img")
	k=$(median by_kernel "$img")
	read -r s kib _ <<<"$t"
	awk -v l="$left: $(field intents) intents, $(field unlinked) unlinked inodes, $(field cow_extents) CoW extents" \
		-v s="$s" -v k="$k" -v p="$kib" 'BEGIN {
		printf "%s: xlog-recover %.3f s, mount and unmount %.3f s, ratio %.1f; peak %d MiB\n",
			l, s, k, k / s, p / 1024 }'
	rm -f "$img"
done
