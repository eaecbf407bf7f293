#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# SIGINT and SIGTERM stop it at the next safe point: exit status 32, and JSON
# still ends with a result. A closed pipe ends it without a word. A lock that
# somebody holds is waited for, or not.
. "$ROOT/tests/lib/story.sh"
need_command jq flock
image=$(unpack "$IMAGES/linux618/def61-mixed.img.zst")

for signal in INT TERM; do
	mkfifo pipe
	# nobody reads at first: it waits with its buffer full
	(
		exec 3<>pipe
		trap - INT TERM
		exec "$XLOG_PRINT" -t -a -J "$image" >pipe 2>err 3<&-
	) &
	pid=$!
	exec 4<pipe
	head -c 65536 <&4 >first
	kill -s $signal $pid
	cat <&4 >rest
	exec 4<&-
	rc=0
	wait $pid || rc=$?
	rm pipe
	[ $rc = 32 ] || fail "SIG$signal: exit status $rc"
	grep -q '^xlog-print: interrupted$' err
	cat first rest | tail -n 1 | jq -e '.type == "result" and .exit == 32' \
		>/dev/null || fail "SIG$signal: no result"
done

# a reader that has enough
rc=0
"$XLOG_PRINT" -t -a "$image" 2>err | head -n 3 >/dev/null || rc=$?
[ ! -s err ] || { cat err >&2; fail 'a closed pipe is complained about'; }

# locks
exec 5<"$image"
flock -x 5
expect_exit 4 "$XLOG_PRINT" --check --lock=nonblock "$image"
grep -q 'locked by another process' err
LOCK_BLOCK_DEVICE=nonblock expect_exit 4 "$XLOG_PRINT" -S "$image"
expect_exit 4 "$XLOG_PRINT" --check --lock=no "$image"
[ ! -s err ]
"$XLOG_PRINT" -S --lock "$image" >waited &
pid=$!
sleep 0.3
kill -0 $pid || fail 'a lock was not waited for'
[ ! -s waited ]
flock -u 5
wait $pid
grep -q '^state ' waited
flock -s 5
expect_exit 0 "$XLOG_PRINT" -S --lock=nonblock "$image"
