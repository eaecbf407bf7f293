#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Release build only: strace and the leak checker do not go together.
# A run with -z is killed at each of its writes and flushes in turn. Whatever it
# had written by then, --undo-apply puts back; and if it is killed as well, it
# is done again.
. "$ROOT/tests/lib/story.sh"
need_command strace
dirty=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
strace -qq -o /dev/null -e trace=fdatasync true 2>/dev/null ||
	skip 'needs the right to trace'

# killed CALL N COMMAND...: at the Nth such call; 1 if it does not come to that
killed() {
	local call=$1 n=$2 rc=0

	shift 2
	# its own shell: bash tells of jobs that were killed
	bash -c '"$@" 2>err' - strace -f -qq -o /dev/null -e trace="$call" \
		-e inject="$call:signal=KILL:when=$n" "$@" 2>/dev/null || rc=$?
	[ $rc = 137 ] && return
	[ $rc = 0 ] || fail "$call $n: exit status $rc: $(cat err)"
	return 1
}

changed=0
for call in pwrite64 fdatasync; do
	for ((n = 1; ; n++)); do
		cp --sparse=always "$dirty" now.img
		rm -f saved
		killed $call $n "$XLOG_RECOVER" -q -z saved now.img || break
		cmp -s now.img "$dirty" || changed=$((changed + 1))
		# before the file had its first flush nothing was written
		rc=0
		"$XLOG_RECOVER" -q --undo-apply=saved now.img 2>err || rc=$?
		[ $rc = 0 ] || [ $n -le 2 ] || fail "$call $n: $(cat err)"
		cmp now.img "$dirty" || fail "$call $n: not as it was"
	done
	[ $n -gt 10 ] || fail "only $n calls of $call"
done
[ $changed -gt 10 ] || fail "only $changed runs wrote anything"

cp --sparse=always "$dirty" now.img
rm -f saved
expect_exit 0 "$XLOG_RECOVER" -z saved now.img
cp --sparse=always now.img done.img
for ((n = 1; n < 1000; n += 7)); do
	cp --sparse=always done.img now.img
	killed pwrite64 $n "$XLOG_RECOVER" -q --undo-apply=saved now.img ||
		break
	expect_exit 0 "$XLOG_RECOVER" -q --undo-apply=saved now.img
	cmp now.img "$dirty" || fail "killed at write $n of putting back"
done
[ $n -gt 7 ] || fail 'putting back made no writes'
