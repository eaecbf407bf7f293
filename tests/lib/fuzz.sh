#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fuzz.sh TARGET...: run each libFuzzer target for FUZZ_TIME seconds, JOBS at a
# time, from its stored inputs and what earlier runs found. A finding is kept
# beside the target, named by its kind, and the exit status is then 1.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# != 0 ] || { echo 'fuzz: no targets' >&2; exit 1; }

fuzz_one() {
	local name=${1##*/} found=$1.corpus seeds rc=0

	seeds=$root/tests/fixtures/fuzz/${name#fuzz_}
	mkdir -p "$found"
	"$1" -max_total_time="${FUZZ_TIME:-60}" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$1." \
		"$found" "$seeds" >"$1.log" 2>&1 </dev/null || rc=$?
	printf '%s: %s executions, %s inputs kept, %s\n' "$name" \
		"$(sed -nE 's/^stat::number_of_executed_units: *//p' "$1.log")" \
		"$(find "$found" -type f | wc -l)" \
		"$([ $rc = 0 ] && echo 'no findings' || echo "FINDING, see $1.log")"
	return $rc
}

pids=()
rc=0
for t; do
	if [ ${#pids[@]} -ge "${JOBS:-2}" ]; then
		wait "${pids[0]}" || rc=1
		pids=("${pids[@]:1}")
	fi
	fuzz_one "$t" &
	pids+=($!)
done
for p in "${pids[@]}"; do
	wait "$p" || rc=1
done
exit $rc
