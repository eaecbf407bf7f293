#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Power fails under xlog-bench, in each of its ways: recovery brings back what
# was durable, and nothing by half. What a device that never flushes has lost is
# found. On the device itself the log is then dirty, for others to recover.
#
# CRASHES	so many of those that come again and again (64)
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq xfs_repair
fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
expect_exit 0 "$XLOG_RECOVER" "$fs"
remember "$fs"

crash() {	# <exit status> <option>...
	local want=$1

	shift
	expect_exit "$want" timeout 60 "$XLOG_BENCH" -J "$@" "$fs"
	jq -e 'select(.type == "result") | .crashed and .verified' out >/dev/null ||
		{ cat out >&2; fail "$*: not verified"; }
}

durable=0
seed=1
sizes=(16k 32k 64k 128k 256k)
for kind in torn clean drop reorder; do
	for policy in delaylog,logbsize=16k nodelaylog delaylog,logbsize=256k; do
		crash 0 -s $seed -j $((1 + seed % 4)) -o $policy --crash=$kind \
			--crash-after=$((seed * 3))iclogs -n 10000 \
			--fsync-every=$((seed % 3 * 20))
		durable=$((durable + $(jq 'select(.type == "result") | .forced' out)))
		seed=$((seed + 1))
	done
done
[ $durable -gt 1000 ] || fail "only $durable transactions were ever durable"
for sync in fua flush dsync; do
	crash 0 -o sync=$sync,ail=1 --crash=drop --crash-after=900ops -j2 --fsync-every=30
	[ "$(jq -r 'select(.type == "run") | .sync' out)" = $sync ] || fail "sync=$sync: $(cat out)"
done
crash 0 --crash-after=1ops -n 100
crash 0 --crash-after=20ms -T 10s
crash 0 --crash-after=100000iclogs -n 500	# it does not come to that
crash 0 -w relog --crash-after=5000ops --fsync-every=100
crash 0 -w bigtx --crash-after=3000000bytes -j2 -n 200 --fsync-every=3
crash 0 -w fsync-probe --crash-after=300ops -j4
expect_exit 0 timeout 60 "$XLOG_BENCH" --mem=400m --crash-after=40iclogs -n 90000 \
	--fsync-every=500
shows 'power failed (torn)'
shows 'all as they were'

# again and again
: "${CRASHES:=64}"
each=$((CRASHES / 8))
for kind in torn clean drop reorder; do
	for policy in delaylog nodelaylog; do
		crash 0 -n $((each * 500)) -s $seed -j $((1 + seed % 3)) \
			-o $policy,logbsize="${sizes[seed % 5]}" --crash=$kind \
			--crash-every=500 --fsync-every=$((10 + seed * 7 % 90))
		jq -e --argjson n $each 'select(.type == "result") |
			.crashes >= $n - 2 and .tx >= $n * 500 and
			.forced > $n * 100 and .recovered >= .forced and
			.tx >= .recovered' out >/dev/null ||
			fail "$kind, $policy: $(tail -n 1 out)"
		seed=$((seed + 1))
	done
done
echo "$((each * 8)) crashes, again and again"

# it can be seen when something is lost
crash 4 -o sync=none --crash=drop --crash-after=1000ops --fsync-every=10 -j2
says_lost='select(.type == "finding" and .code == "bench.mismatch")'
[ "$(jq -c "$says_lost" out | wc -l)" = "$(jq 'select(.type == "result") | .mismatches' out)" ] ||
	fail 'not each mismatch is told'
is_untouched "$fs"

# on the device itself
expect_exit 0 timeout 60 "$XLOG_BENCH" -q --scratch -j1 --crash=clean \
	--crash-after=30iclogs --fsync-every=50 "$fs"
expect_exit 4 "$XLOG_PRINT" --check "$fs"
# a log that is dirty is none to begin with
expect_exit 4 "$XLOG_BENCH" "$fs"
says 'the log is dirty: recover it first'
expect_exit 0 "$XLOG_RECOVER" "$fs"
xfs_repair -n "$fs" >repair 2>&1 || { cat repair >&2; fail 'xfs_repair'; }
