#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# durable.sh FOLDER: what the programs in FOLDER make durable on one disk: commits
# per second, first of both policies of the log engine with all transactions
# synchronous, then of the engine against SQLite and RocksDB, each changing
# records of 232 bytes in transactions of their own; and the bandwidth of the log.
# Whichever of the two was not built is named.
#
# A disk is not equally fast all the time, and others use it: so all of a row
# run in turn, for part of a second each, in an order that changes, and what is
# said are medians over the rounds: of the rates, and of the ratios of each
# round.
#
# BENCH_DIR: a folder on the disk to measure on (default: in /var/tmp).
# BENCH_ROUNDS, BENCH_MS: how often (11), and how long (250) each.
set -euo pipefail
bin=$(realpath "$1")
rounds=${BENCH_ROUNDS:-11}
ms=${BENCH_MS:-250}
dir=${BENCH_DIR:-$(mktemp -d /var/tmp/xlog-bench.XXXXXX)}
mkdir -p "$dir"
cleanup() {
	[ -n "${BENCH_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT

# A filesystem with 10,000 files, a log of 64 MiB, and no holes in that: a disk
# has none, and peers write where they have written before.
make_image() {
	local d i

	{
		printf '/nothing\n0 0\nd--755 0 0\n'
		for ((d = 0; d < 100; d++)); do
			echo "dir$d d--755 0 0"
			for ((i = 0; i < 100; i++)); do
				echo "file$i ---644 0 0 /dev/null"
			done
			echo '$'
		done
		echo '$'
	} >"$dir/proto"
	rm -f "$dir/fs"
	dd if=/dev/zero of="$dir/fs" bs=1M count=400 status=none
	mkfs.xfs -q -f -K -l size=64m -p "$dir/proto" "$dir/fs"
	sync "$dir/fs"
}

one() {	# <name> <threads>: a rate, and perhaps more
	case $1 in
	delaylog)	"$bin/durable" "$2" "$ms" "$dir/fs" ;;
	nodelaylog)	"$bin/durable" "$2" "$ms" "$dir/fs" nodelaylog ;;
	sqlite3)		"$bin/peer_sqlite3" "$2" "$ms" "$dir" ;;
	rocksdb)	rm -rf "$dir/rocksdb"
			"$bin/peer_rocksdb" "$2" "$ms" "$dir" ;;
	esac
}

# Lines of rates, a column for each name: the medians, and those of the ratios
# of the first column to each other one.
medians() {	# <names>
	awk -v names="$1" '
	function median(k,    i, j, t) {
		for (i = 1; i <= NR; i++)
			for (j = i + 1; j <= NR; j++)
				if (v[k, j] < v[k, i]) {
					t = v[k, i]; v[k, i] = v[k, j]; v[k, j] = t
				}
		return v[k, int((NR + 1) / 2)]
	}
	{	for (k = 1; k <= NF; k++) {
			v[k, NR] = $k + 0
			v[NF + k, NR] = $k > 0 ? $1 / $k : 0
		}
		n = NF
	}
	END {	split(names, name)
		for (k = 1; k <= n; k++)
			printf "  %s %7d", name[k], median(k)
		printf "   ratio"
		for (k = 2; k <= n; k++)
			printf " %.2f", median(n + k)
		print ""
	}'
}

row() {	# <threads> <name>...
	local threads=$1 name r order
	shift
	: >"$dir/rates"
	for ((r = 0; r < rounds; r++)); do
		order=("$@")
		[ $((r % 2)) = 0 ] || mapfile -t order < <(printf '%s\n' "$@" | tac)
		for name in "${order[@]}"; do
			one "$name" "$threads" >"$dir/$name.out"
			[ "$name" != delaylog ] || cut -d' ' -f2 "$dir/$name.out" >>"$dir/per_record.$threads"
		done
		for name; do
			printf '%s ' "$(cut -d' ' -f1 "$dir/$name.out")"
		done >>"$dir/rates"
		echo >>"$dir/rates"
	done
	printf '%4d threads:' "$threads"
	medians "$*" <"$dir/rates"
}

make_image
echo "durable commits a second, medians of $rounds rounds of $ms ms each in turn, in $dir:"
for n in 1 2 4 16 64; do
	row $n delaylog nodelaylog
done
echo "  transactions in a record of the log, 64 threads: $(sort -n "$dir/per_record.64" |
	sed -n "$(((rounds + 1) / 2))p")"

peers=()
for peer in sqlite3 rocksdb; do
	if [ -x "$bin/peer_$peer" ]; then
		peers+=("$peer")
	else
		echo "$peer: not compared with, its library was not there"
	fi
done
[ ${#peers[@]} = 0 ] || echo 'against others:'
[ ${#peers[@]} = 0 ] || for n in 1 16 128; do
	row $n delaylog "${peers[@]}"
done
# at the end: a disk that is told to take less from those who wrote much does so
# for a while
rm "$dir/fs"
"$bin/bandwidth" "$dir/log" 5
