#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whoever reads "N passed, N failed" can rely on it: failures, skips, output
# that differs, time limits, leaks found late and Criterion's own counts.
. "$ROOT/tests/lib/story.sh"
unset XLOG_REQUIRE_ALL XLOG_RESULTS UPDATE

mkdir tests
script() {
	printf '%s\n' "$2" >"tests/$1.sh"
}
script passes 'exit 0'
script fails 'echo the reason >&2; exit 1'
script skips 'echo needs the moon; exit 77'
script prints 'echo one'
echo two >tests/prints.stdout
script same 'echo same'
echo same >tests/same.stdout
script hangs 'sleep 60'
# shellcheck disable=SC2016 # for the inner shell
script leaks 'touch "${ASAN_OPTIONS##*log_path=}.1"; echo lost bytes >"${ASAN_OPTIONS##*log_path=}.1"'
script criterion 'echo "[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 2 | Crashing: 1"; exit 1'
script empty 'echo "Tested: 0 | Passing: 0 | Failing: 0 | Crashing: 0"'
script partly 'echo "[SKIP] a::b: needs the sun" >&2; echo "Tested: 1 | Passing: 1 | Failing: 0 | Crashing: 0"'
script reads_nothing '! read -r line'

run() {
	TEST_TMP=$PWD/tmp TEST_TIMEOUT=2 XLOG_RESULTS=$PWD/results \
		"$ROOT/tests/lib/run.sh" sample "$@" >out 2>&1
}

expect() {	# <passed> <failed> <skipped> <test>...
	local want="sample $1 $2 $3"

	shift 3
	rm -f results
	if run "$@"; then
		[ "${want#sample * }" = "0 ${want##* }" ] || fail "$want, but exit 0"
	else
		[ "${want#sample * }" != "0 ${want##* }" ] || fail "$want, but exit 1"
	fi
	[ "$(cat results)" = "$want" ] ||
		fail "$*: counted $(cat results), expected $want"
}

expect 1 0 0 tests/passes.sh
expect 0 1 0 tests/fails.sh
grep -q '| the reason' out || fail 'the reason of a failure is not shown'
expect 0 0 1 tests/skips.sh
grep -q '^skip .*needs the moon' out || fail 'the reason of a skip is not shown'
expect 0 1 0 tests/prints.sh
expect 1 0 0 tests/same.sh
expect 0 1 0 tests/hangs.sh
expect 0 1 0 tests/leaks.sh
expect 3 2 0 tests/criterion.sh
expect 0 1 0 tests/empty.sh
expect 1 0 1 tests/partly.sh
grep -q '^skip .*needs the sun' out || fail 'the reason of a skip is not shown'
XLOG_REQUIRE_ALL=1 expect 1 1 0 tests/partly.sh
expect 1 0 0 tests/reads_nothing.sh
expect 3 3 1 tests/passes.sh tests/skips.sh tests/same.sh tests/fails.sh \
	tests/prints.sh tests/leaks.sh tests/reads_nothing.sh
XLOG_REQUIRE_ALL=1 expect 1 1 0 tests/skips.sh tests/passes.sh

UPDATE=1 run tests/prints.sh || fail 'UPDATE=1 fails'
[ "$(cat tests/prints.stdout)" = one ] || fail 'UPDATE=1 does not rewrite'

printf 'a 3 1 0\nb 4 0 2\n' >results
[ "$("$ROOT/tests/lib/total.sh" results)" = '7 passed, 1 failed, 2 skipped' ] ||
	fail "$("$ROOT/tests/lib/total.sh" results)"
