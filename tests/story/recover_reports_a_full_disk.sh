#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Results that cannot be written: exit status 8 and a message. A file for them
# is made before the device is written to, and replaces none unasked.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
remember "$image"

for option in -n '-n -v' '-n -J' --explain; do
	rc=0
	# shellcheck disable=SC2086 # words
	"$XLOG_RECOVER" $option "$image" >/dev/full 2>err || rc=$?
	[ $rc = 8 ] || fail "$option: exit status $rc on a full disk"
	grep -q '^xlog-recover: stdout: No space left on device$' err ||
		{ cat err >&2; fail "$option: no message"; }
done
echo precious >file
expect_exit 8 "$XLOG_RECOVER" --output=file "$image"
says 'file: File exists; --force=output replaces it'
[ "$(cat file)" = precious ] || fail 'a file was replaced'
for to in "$image" nowhere/file; do
	expect_exit 8 "$XLOG_RECOVER" --output="$to" --force=output "$image"
done
is_untouched "$image"

expect_exit 8 "$XLOG_RECOVER" --output=/dev/full --force=output "$image"
says '/dev/full: No space left on device'
# what was asked for has been done all the same
expect_exit 0 "$XLOG_PRINT" --check "$image"
expect_exit 0 "$XLOG_RECOVER" --output=new "$image"
[ ! -s out ] && grep -q 'clean: nothing to replay' new
