#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs tests of one kind and counts them. A test is a shell script or a
# program; it runs in a scratch folder of its own, with no standard input and
# a time limit, and says by its exit status: 0 pass, 1 fail, 77 skip with the
# reason on stdout. Where NAME.stdout stands beside NAME.sh the output must be
# equal (UPDATE=1 rewrites it). A program that prints Criterion's "Synthesis"
# line counts as the tests in it.
#
#	run.sh KIND TEST...
#
# JOBS		tests at a time; 2
# TEST_TIMEOUT	seconds for one test; 600
# XLOG_RESULTS	file to which "KIND PASSED FAILED SKIPPED" is added
# XLOG_REQUIRE_ALL	non-empty: a skip is a failure
set -u

kind=$1
shift
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-build/release}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
IMAGES=$(cd "${IMAGES:-$ROOT/tests/images}" && pwd) || exit 1
# what make has unpacked of them, if they are those that it knows
UNPACKED=
[ "$IMAGES" != "$ROOT/tests/images" ] || UNPACKED=$ROOT/build/images
FIXTURES=$ROOT/tests/fixtures
XLOG_PRINT=$BUILD/xlog-print
XLOG_RECOVER=$BUILD/xlog-recover
XLOG_MKFS=$BUILD/xlog-mkfs
XLOG_BENCH=$BUILD/xlog-bench
CC=${CC:-gcc}
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C.UTF-8
export ROOT BUILD IMAGES UNPACKED FIXTURES XLOG_PRINT XLOG_RECOVER XLOG_MKFS XLOG_BENCH CC
export PATH LC_ALL
export UBSAN_OPTIONS=print_stacktrace=1
# ThreadSanitizer gives up where a thread holds more than 64 locks, as large
# transactions do; the order of locks is looked at in tests/stress.
[ "$kind" != story ] || export TSAN_OPTIONS=${TSAN_OPTIONS:-detect_deadlocks=0}
export CRITERION_VERBOSITY_LEVEL=1	# it names the tests that were skipped
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES

scratch=${TEST_TMP:-$BUILD/tmp}/$kind
rm -rf "$scratch"
mkdir -p "$scratch" || exit 1

# Two programs of one name would share a scratch folder: use the whole path.
test_name() {
	local n=${1#"$ROOT"/}

	n=${n#"${BUILD#"$ROOT"/}"/}
	n=${n#tests/}
	n=${n#"$kind"/}
	printf '%s' "${n%.sh}"
}

# What went wrong besides the exit status; empty when nothing.
complaint() {	# <test> <scratch>
	local want=${1%.sh}.stdout

	if [ -f "$want" ]; then
		if [ -n "${UPDATE:-}" ]; then
			cp "$2/stdout" "$want"
		elif ! diff -u "$want" "$2/stdout" >"$2/diff"; then
			echo 'the output differs:'
			cat "$2/diff"
		fi
	fi
	# Under Criterion a leak alone leaves the exit status 0.
	cat "$2"/san.* 2>/dev/null
}

run_one() {	# <test>: prints the report, then leaves the count in a file
	local t=$1 name dir rc start end passed=0 failed=0 skipped=0 why=
	local log

	name=$(test_name "$t")
	dir=$scratch/${name//\//.}
	mkdir -p "$dir/work"
	start=$(date +%s%N)
	(
		cd "$dir/work" || exit 1
		export TMPDIR=$dir/work
		export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$dir/san
		case $t in
		*.sh)	set -- bash "$t" ;;
		*)	set -- "$t" ;;
		esac
		# what looks at the project itself starts at its root
		case $kind in
		story | corpus | stress | sample) ;;
		*) cd "$ROOT" || exit 1 ;;
		esac
		exec timeout -k 5 "${TEST_TIMEOUT:-600}" "$@"
	) </dev/null >"$dir/stdout" 2>"$dir/stderr"
	rc=$?
	end=$(date +%s%N)
	[ $rc != 0 ] || why=$(complaint "$t" "$dir")
	log=$(grep -aoE 'Tested: .*Crashing: .*' "$dir/stdout" "$dir/stderr" 2>/dev/null |
	      sed 's/\x1b\[[0-9;]*m//g' | tail -n 1)
	if [ $rc = 77 ] && [ -z "${XLOG_REQUIRE_ALL:-}" ]; then
		skipped=1
	elif [ -n "$log" ]; then
		# a crash is one of the failing
		read -r passed failed < <(sed -E \
			's/.*Tested: ([0-9]+).*Passing: ([0-9]+).*/\1 \2/' \
			<<<"$log" | awk '{print $2, $1 - $2}')
		skipped=$(grep -ac '\[.*SKIP.*\]' "$dir/stderr")
		[ -z "${XLOG_REQUIRE_ALL:-}" ] || [ "$skipped" = 0 ] ||
			failed=$((failed + skipped)) skipped=0
		[ $rc = 0 ] && [ -z "$why" ] || [ "$failed" != 0 ] || failed=1
		[ $((passed + failed + skipped)) != 0 ] || failed=1
	elif [ $rc = 0 ] && [ -z "$why" ]; then
		passed=1
	else
		failed=1
	fi
	{
		if [ -z "$log" ] && [ "$skipped" = 1 ]; then
			printf 'skip  %s/%s: %s\n' "$kind" "$name" \
				"$(tail -n 1 "$dir/stdout")"
		elif [ "$failed" = 0 ]; then
			printf 'ok    %s/%s%s (%d.%02d s)\n' "$kind" "$name" \
				"${log:+: $passed tests}" \
				$(((end - start) / 1000000000)) \
				$(((end - start) / 10000000 % 100))
			[ "$skipped" = 0 ] || grep -a '\[.*SKIP.*\]' "$dir/stderr" |
				sed -E 's/\x1b\[[0-9;]*m//g; s/^.*SKIP.*\] /skip  /'
		else
			printf 'FAIL  %s/%s (exit %d)\n' "$kind" "$name" $rc
			{
				[ $rc != 77 ] || echo 'a skip, but XLOG_REQUIRE_ALL is set'
				[ $rc != 124 ] || echo 'the time limit was reached'
				tail -n 40 "$dir/stdout"
				grep -avE '^\[.*(RUN|PASS).*\] ' "$dir/stderr" | tail -n 60
				printf '%s\n' "$why" | head -n 100
				cat "$dir"/san.* 2>/dev/null | head -n 60
			} | sed 's/^/      | /'
		fi
	} >"$dir/report"
	echo "$passed $failed $skipped" >"$dir/count"
	cat "$dir/report"
	[ "$failed" != 0 ] || rm -rf "$dir/work"
}

running=0
for t; do
	case $t in /*) ;; *) t=$PWD/$t ;; esac
	if [ $running -ge "${JOBS:-2}" ]; then
		wait -n
		running=$((running - 1))
	fi
	# bash names a killed test on its own stderr; the report says it too
	run_one "$t" 2>/dev/null &
	running=$((running + 1))
done
wait

read -r passed failed skipped < <(find "$scratch" -mindepth 2 -maxdepth 2 \
	-name count -exec cat {} + | awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}')
# A runner that died left no count.
counted=$(find "$scratch" -mindepth 2 -maxdepth 2 -name count | wc -l)
failed=$((failed + $# - counted))
[ -z "${XLOG_RESULTS:-}" ] ||
	echo "$kind $passed $failed $skipped" >>"$XLOG_RESULTS"
printf '%s: %d passed, %d failed, %d skipped\n' "$kind" "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
