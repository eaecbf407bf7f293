#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# mkfs.sh XLOG_MKFS: how long it takes to make a filesystem in a sparse file, up
# to the final flush, and how long mkfs.xfs takes: new files, and files with an
# XFS in them, which is overwritten. Each figure is the median of 5, the two in
# turn, all in one run. System calls that write or flush are counted in a run
# of their own, if strace is there.
# BENCH_DIR: a folder on the disk to measure on (default: in /var/tmp).
# BENCH_SIZES: of the files.
set -euo pipefail
ours=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
runs=${BENCH_RUNS:-5}
dir=${BENCH_DIR:-$(mktemp -d /var/tmp/xlog-bench.XXXXXX)}
mkdir -p "$dir"
cleanup() {
	[ -n "${BENCH_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT
${CC:-cc} -O2 -o "$dir/measure" "$here/measure.c"
file=$dir/file

# What is asked of the disk later is not what is waiting for it now.
fresh() {	# <size> <new|old>
	rm -f "$file"
	truncate -s "$1" "$file"
	[ "$2" = new ] || mkfs.xfs -q -b size=1024 "$file"
	sync "$file"
}

seconds() {	# <mkfs> <option>...
	"$dir/measure" "$@" -q "$file" 2>"$dir/err" || { cat "$dir/err" >&2; return 1; }
	tail -n 1 "$dir/err"
}

calls() {	# <mkfs> <option>...: how many writes, how many flushes
	command -v strace >/dev/null || { echo '? ?'; return; }
	strace -f -c -o "$dir/calls" -e trace=pwrite64,fallocate,fsync,fdatasync \
		"$@" -q "$file"
	awk '$NF ~ /^(pwrite64|fallocate)$/ { w += $4 } $NF ~ /sync$/ { f += $4 }
		END { print w + 0, f + 0 }' "$dir/calls"
}

middle() {	# the median of the first figures in the file
	sort -n "$1" | sed -n "$(((runs + 1) / 2))p"
}

measure() {	# <size> <new|old> <option>...
	local size=$1 what=$2 tool

	shift 2
	rm -f "$dir"/*.times
	for _ in $(seq "$runs"); do
		for tool in "$ours" mkfs.xfs; do
			fresh "$size" "$what"
			seconds "$tool" "$@" >>"$dir/${tool##*/}.times"
		done
	done
	for tool in "$ours" mkfs.xfs; do
		fresh "$size" "$what"
		calls "$tool" "$@" >"$dir/${tool##*/}.calls"
	done
	awk -v size="$size" -v what="$what" \
		-v a="$(middle "$dir/${ours##*/}.times")" \
		-v b="$(middle "$dir/mkfs.xfs.times")" \
		-v c="$(cat "$dir/${ours##*/}.calls")" \
		-v d="$(cat "$dir/mkfs.xfs.calls")" 'BEGIN {
		split(a, x); split(b, y); split(c, u); split(d, v)
		printf "%s, %s: xlog-mkfs %.1f ms, mkfs.xfs %.1f ms, ratio %.1f; writes %s and %s, flushes %s and %s; peak %.1f and %.1f MiB\n",
			size, what == "new" ? "new file" : "over an XFS",
			x[1] * 1000, y[1] * 1000, y[1] / x[1],
			u[1], v[1], u[2], v[2], x[2] / 1024, y[2] / 1024 }'
}

for size in ${BENCH_SIZES:-1g 100g 10t}; do
	measure "$size" new
	measure "$size" old -f
done
