#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench.sh XLOG_PRINT: ratios against xfs_logprint and cat, over a log of 512
# MiB that the kernel has written. As root: makes a filesystem in a file, works
# on it, shuts it down. Each figure is the median of 5, all in one run.
# BENCH_DIR: where the image goes (default: a folder in /dev/shm or /var/tmp).
# BENCH_IMAGE: an image made before, which is then left alone.
set -euo pipefail
print=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
runs=5
[ "$(id -u)" = 0 ] || [ -n "${BENCH_IMAGE:-}" ] ||
	{ echo 'bench: needs root, to mount the filesystem it measures on' >&2; exit 77; }
dir=${BENCH_DIR:-$(mktemp -d "$( [ -w /dev/shm ] && echo /dev/shm || echo /var/tmp)/xlog-bench.XXXXXX")}
mkdir -p "$dir"
mnt=
cleanup() {
	[ -z "$mnt" ] || timeout 60 umount "$mnt" || true
	[ -n "${BENCH_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT
${CC:-cc} -O2 -o "$dir/load" "$here/load.c"
${CC:-cc} -O2 -o "$dir/measure" "$here/measure.c"

make_image() {
	truncate -s 6g "$1"
	mkfs.xfs -q -f -l size=512m "$1"
	mkdir -p "$dir/mnt"
	timeout 60 mount -o loop,logbsize=256k "$1" "$dir/mnt"
	mnt=$dir/mnt
	# until the log has been written once around, nearly
	"$dir/load" "$mnt" 250000 1
	local per ops
	per=$(($(log_bytes) / 250000))
	ops=$((560 * 1024 * 1024 / (per > 0 ? per : 1)))
	"$dir/load" "$mnt" "$ops" 2
	xfs_io -x -c 'shutdown -f' "$mnt"
	timeout 60 umount "$mnt"
	mnt=
}

# Bytes the kernel has written to this log: second figure of the "log" line,
# in basic blocks, since the mount.
log_bytes() {
	local dev
	dev=$(findmnt -no SOURCE "$mnt")
	awk '$1 == "log" { print $3 * 512 }' "/sys/fs/xfs/${dev##*/}/stats/stats"
}

img=${BENCH_IMAGE:-$dir/bench.img}
[ -e "$img" ] || { echo 'making a log of real transactions ...' >&2; make_image "$img"; }
log_daddr=$("$print" -S -J "$img" | sed -nE 's/.*"type":"log","daddr":([0-9]+).*/\1/p' | head -1)
log_bbs=$("$print" -S -J "$img" | sed -nE 's/.*"type":"log".*"bbs":([0-9]+).*/\1/p' | head -1)
# the log alone, for cat; and everything in the page cache
dd if="$img" of="$dir/log.raw" bs=1M iflag=skip_bytes,count_bytes \
	skip=$((log_daddr * 512)) count=$((log_bbs * 512)) status=none
"$print" --check "$img" || [ $? = 4 ]

# median OUTPUT COMMAND...: seconds, peak KiB and bytes read, each the median
median() {
	local out=$1
	shift
	for _ in $(seq $runs); do
		"$dir/measure" "$@" 2>"$dir/err" >"$out" || [ $? -le 4 ] || return 1
		tail -n 1 "$dir/err"
	done | awk '{ for (i = 1; i <= 3; i++) v[i, NR] = $i }
		END { for (i = 1; i <= 3; i++) {
			for (j = 1; j <= NR; j++) a[j] = v[i, j]
			for (j = 1; j <= NR; j++) for (k = j + 1; k <= NR; k++)
				if (a[k] + 0 < a[j] + 0) { t = a[j]; a[j] = a[k]; a[k] = t }
			printf "%s%s", a[int((NR + 1) / 2)], i < 3 ? " " : "\n" } }'
}

report() {	# report NAME OURS THEIRS
	awk -v n="$1" -v a="${2%% *}" -v b="${3%% *}" 'BEGIN {
		printf "%-44s %8.3f s  peer %8.3f s  ratio %.1f\n", n, a, b, b / a }'
}

mib=$((log_bbs / 2048))
for out in /dev/null "$dir/out"; do
	to=$([ "$out" = /dev/null ] && echo /dev/null || echo 'a file')
	t=$(median "$out" "$print" -t -b -i -q "$img")
	p=$(median "$out" xfs_logprint -t -b -i -q "$img")
	report "-t -b -i -q to $to, xfs_logprint" "$t" "$p"
	r=$(median "$out" "$print" "$img")
	# -c: without it xfs_logprint ends at the first record of an older lap
	q=$(median "$out" xfs_logprint -c "$img")
	report "record view to $to, xfs_logprint" "$r" "$q"
done
c=$(median /dev/null cat "$dir/log.raw")
f=$(median /dev/null "$print" --check=full "$img")
k=$(median /dev/null "$print" --check "$img")
n=$(median /dev/null "$print" -t -n "$img")
# what lies between tail and head; the other views read all of the log
live=$("$print" -S -J "$img" | awk -v n="$log_bbs" -F '"' '/"type":"log"/ {
	for (i = 1; i < NF; i++) { if ($i == "tail") t = $(i + 2); if ($i == "head") h = $(i + 2) }
	sub(/.*:/, "", t); sub(/.*:/, "", h)
	print int(((h - t + n) % n) / 2048) }')
awk -v m=$mib -v l="$live" -v c="${c%% *}" -v f="${f%% *}" -v t="${t%% *}" -v n="${n%% *}" -v r="${r%% *}" 'BEGIN {
	g = m / 1024; a = l / 1024
	printf "GiB of log a second: cat %.2f, record view %.2f (%d MiB); --check=full %.2f, -t -n %.2f, -t -b -i -q %.2f (%d MiB live)\n",
		g / c, g / r, m, a / f, a / n, a / t, l }'
echo "--check: $(awk -v b="${k##* }" 'BEGIN { printf "%.1f MiB", b / 1048576 }') read, ${k%% *} s"
peak() {	# KiB, the second of three figures
	set -- "${1#* }"
	echo "${1%% *} KiB"
}
echo "peak memory: -t -b -i -q $(peak "$t"); record view $(peak "$r"); --check=full $(peak "$f")"
