#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Without the right to install, `make demo` and `make check` say what to type
# and stop; with everything there they say nothing.
. "$ROOT/tests/lib/story.sh"

expect_exit 0 "$ROOT/tests/lib/deps.sh" build
[ ! -s out ] && [ ! -s err ] || fail 'says something though nothing is missing'

need_command apt-get
for goal in demo check; do
	export DEPS=no
	expect_exit 1 env CC=no-such-compiler "$ROOT/tests/lib/deps.sh" "$goal"
	[ ! -s out ] || fail 'stdout is not empty'
	grep -qE '^	sudo apt-get install -y --no-install-recommends( [a-z0-9.+-]+)* gcc( |$)' err ||
		fail "no line to run: $(cat err)"
	rc=0
	make -s -C "$ROOT" "$goal" CC=no-such-compiler >out 2>err || rc=$?
	[ $rc != 0 ] || fail "make $goal goes on"
	grep -q 'sudo apt-get install' err || fail "make $goal: $(cat err)"
done
