#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Output that cannot be written: exit status 8 and a message, never a result
# that looks complete. Files are not replaced unasked, the input never.
. "$ROOT/tests/lib/story.sh"
image=$(unpacked "$IMAGES/linux618/rmap-intents.img.zst")

for view in '' -t -d -S -z --check --explain -J '-t -J'; do
	rc=0
	# shellcheck disable=SC2086 # no view is no word
	"$XLOG_PRINT" $view "$image" >/dev/full 2>err || rc=$?
	[ $rc = 8 ] || fail "$view: exit status $rc on a full disk"
	grep -q '^xlog-print: stdout: No space left on device$' err ||
		{ cat err >&2; fail "$view: no message"; }
done
expect_exit 8 "$XLOG_PRINT" -t --output=/dev/full --force=output "$image"
grep -q '^xlog-print: /dev/full: No space left on device$' err
expect_exit 8 "$XLOG_PRINT" -t --output=nowhere/file "$image"

# a file is created, not replaced, unless that is wanted
"$XLOG_PRINT" -t "$image" >want
expect_exit 0 "$XLOG_PRINT" -t --output=file "$image"
[ ! -s out ] || fail 'output on stdout as well'
cmp file want
echo precious >file
expect_exit 8 "$XLOG_PRINT" -t --output=file "$image"
grep -q 'file: File exists; --force=output replaces it' err
[ "$(cat file)" = precious ] || fail 'a file was replaced'
expect_exit 0 "$XLOG_PRINT" -t --output=file --force=output "$image"
cmp file want
expect_exit 8 "$XLOG_PRINT" -C file "$image"
cmp file want

# not even with --force over what is read
copy=$(unpack "$IMAGES/linux618/rmap-intents.img.zst")
ln "$copy" link
sum=$(cksum <"$copy")
for to in "--output=$copy" --output=link "--copy=$copy" --copy=link; do
	expect_exit 8 "$XLOG_PRINT" --force=output "$to" "$copy"
	grep -q 'is the input' err || fail "$to: not told"
done
[ "$(cksum <"$copy")" = "$sum" ] || fail 'the input was changed'

# what is no XFS leaves no file behind
expect_exit 8 "$XLOG_PRINT" -t --output=new want
[ ! -e new ] || fail 'output was created for an input that was refused'
