#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Started without stdin, stdout or stderr, a tool opens its devices all the
# same, and what it has to say does not go onto one of them. And a file that
# grows beyond the limit of the shell is an error that is told.
. "$ROOT/tests/lib/story.sh"
need_command zstd

dirty=$(unpack "$IMAGES/linux618/chmod-only.img.zst")

# runs STATUS COMMAND...: with each set of streams closed, on a file that is
# to stay as it is
runs() {
	local want=$1 rc closed

	shift
	for closed in '<&-' '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		cp --sparse=always "$dirty" now.img
		rc=0
		eval "\"\$@\" now.img $closed" >out 2>err || rc=$?
		cmp now.img "$dirty" || fail "$* $closed: written to"
		# what cannot be told is an error, too
		[ $rc = "$want" ] || [ $rc = 8 ] ||
			fail "$* $closed: exit status $rc"
	done
}
runs 4 "$XLOG_PRINT" --check
runs 4 "$XLOG_RECOVER" -n
runs 4 "$XLOG_MKFS" -x
runs 4 "$XLOG_MKFS" -x --lock=no

# what is done is done, seen or not
cp --sparse=always "$dirty" now.img
cp --sparse=always "$dirty" want.img
"$XLOG_RECOVER" want.img >out 2>err
"$XLOG_RECOVER" -q now.img <&- 2>&- >out || fail 'not without stderr'
cmp now.img want.img

# a limit
(
	ulimit -f 1024
	rc=0
	"$XLOG_MKFS" -x -d size=400m big.img >out 2>err || rc=$?
	[ $rc = 8 ] || fail "exit status $rc"
	grep -q 'File too large' err
	[ ! -e big.img ] || fail 'a file is left'
)
