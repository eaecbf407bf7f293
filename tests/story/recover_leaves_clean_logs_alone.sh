#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A log that is clean, or was never written: it says so, exit status 0, and not
# a byte is written, nor the time of the file changed, nor an undo file left.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq

for name in clean never; do
	image=$(unpack "$IMAGES/linux618/$name.img.zst")
	state=$("$XLOG_PRINT" --check "$image" | sed 's/^[^:]*: \([a-z]*\):.*/\1/')
	remember "$image"
	for option in '' -n '-z undo' --explain --iunlinks=leave --verify=reread; do
		# shellcheck disable=SC2086 # no option is no word
		expect_exit 0 "$XLOG_RECOVER" $option "$image"
		# of the place of an undo file there may be something to say
		[ ! -s err ] || [ "${option% *}" = -z ] ||
			fail "$name $option: $(cat err)"
		is_untouched "$image"
		[ ! -e undo ] || fail "$name: an undo file was left"
	done
	expect_exit 0 "$XLOG_RECOVER" "$image"
	[ "$(wc -l <out)" = 1 ] || fail "$name: not one line"
	shows "$image: $state: "
	shows 'nothing to replay'
	expect_exit 0 "$XLOG_RECOVER" -q "$image"
	[ ! -s out ] || fail "$name -q: output"
	expect_exit 0 "$XLOG_RECOVER" -J "$image"
	jq -se --arg state "$state" '(map(.type) == ["header", "log", "result"]) and
		.[1].state == $state and .[2].state == $state and
		.[2].exit == 0 and .[2].wrote == false and
		.[2].blocks_written == 0' out >/dev/null || { cat out >&2; fail "$name -J"; }
	is_untouched "$image"
	# and a copy is a copy
	expect_exit 0 "$XLOG_RECOVER" --target=copy "$image"
	cmp copy "$image"
	rm copy
done
