#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A signal ends the load: what was begun is finished, the filesystem unmounted,
# the summary shown; exit status 32. The log is clean.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq
fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
expect_exit 0 "$XLOG_RECOVER" "$fs"

for signal in INT TERM; do
	for jobs in 1 4; do
		(
			trap - INT TERM
			exec "$XLOG_BENCH" -J -j $jobs -T 60m --interval=1s --scratch \
				"$fs" >out 2>err
		) &
		pid=$!
		while ! grep -q '"sample"' out 2>/dev/null; do
			kill -0 $pid || { cat out err >&2; fail 'it ended'; }
			sleep 0.05
		done
		kill -s $signal $pid
		rc=0
		wait $pid || rc=$?
		[ $rc = 32 ] || { cat err >&2; fail "SIG$signal: exit status $rc"; }
		says interrupted
		jq -e 'select(.type == "result") | .exit == 32 and .tx > 0' out \
			>/dev/null || fail "SIG$signal: no result"
		expect_exit 0 "$XLOG_PRINT" --check "$fs"
		rm out err
	done
done
