#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is changed again and again is logged once, with delaylog; nodelaylog
# writes each change. Over 20 passes that is at least ten times as much, in one
# pass about the same; with a force after each transaction it makes no
# difference. In the end the same is on the disk.
. "$ROOT/tests/lib/story.sh"
need_command jq

log_bytes() {	# <policy> <passes> [option]...
	expect_exit 0 timeout 60 "$XLOG_BENCH" -J -j1 --mem=400m -o "$1" \
		-n $((62 * $2)) --verify "${@:3}"
	jq -e 'select(.type == "result") | .mismatches == 0' out >/dev/null ||
		fail "$*: $(tail -n 1 out)"
	jq 'select(.type == "result") | .log_bytes' out
}

for passes in 1 2 5 20; do
	for every in 0 10 1; do
		delayed=$(log_bytes delaylog $passes --fsync-every=$every)
		direct=$(log_bytes nodelaylog $passes --fsync-every=$every)
		echo "$passes passes, a force every $every: delaylog $delayed, nodelaylog $direct bytes"
		case $passes,$every in
		20,0) [ $((direct / delayed)) -ge 10 ] || fail 'not ten times as much' ;;
		1,0 | *,1) [ $((direct * 10)) -le $((delayed * 14)) ] &&
			[ $((delayed * 10)) -le $((direct * 11)) ] || fail 'not about the same' ;;
		esac
	done
done

# A change is 256 bytes: 56 of format, 176 of core, 12 of a header for each. On
# its own it has 12 more to start, 28 with the header of a transaction, and 12
# to commit.
expect_exit 0 "$XLOG_BENCH" -J -j1 --mem=400m -o nodelaylog -n 10000
jq -e 'select(.type == "result") |
	.formatted_bytes - 10000 * 256 | . > 0 and . < 2048' out >/dev/null ||
	fail "other sizes than 256 bytes: $(tail -n 1 out)"
# ... and each record of 32 KiB a header of 512
want=$((10000 * (256 + 12 + 28 + 12) * 64 / 63))
bytes=$(jq 'select(.type == "result") | .log_bytes' out)
[ "$bytes" -ge $want ] && [ "$bytes" -le $((want + 8192)) ] ||
	fail "$bytes bytes of log, and not about $want"
