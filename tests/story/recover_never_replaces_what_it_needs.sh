#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --force=output replaces files, but none that is read in the same run, or that
# the same run has made: an external log, an undo file, a copy.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq

refused() {	# <file that is named twice> <option>...
	local file=$1

	shift
	expect_exit 8 "$@"
	says "$file: is the input, or named for something else as well"
}

fs=$(unpack "$IMAGES/linux618/extlog.img.zst")
log=$(unpack "$IMAGES/linux618/extlog.img.logdev.zst")
cp --sparse=always "$fs" both.logdev
remember "$fs" "$log" both.logdev
refused "$log" "$XLOG_RECOVER" -n -l "$log" --output="$log" --force=output "$fs"
refused "$log" "$XLOG_RECOVER" -l "$log" --target="$log" --force=output "$fs"
refused both.logdev "$XLOG_RECOVER" -l "$log" --target=both --force=output both.logdev
refused "$log" "$XLOG_PRINT" -l "$log" --output="$log" --force=output "$fs"
refused "$log" "$XLOG_PRINT" -l "$log" -C "$log" --force=output "$fs"
is_untouched "$fs" "$log" both.logdev
[ ! -e both ] || fail 'a copy was left'

image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
remember "$image"
refused "$image" "$XLOG_RECOVER" -n -r "$image" --output="$image" --force=output "$image"
refused undo "$XLOG_RECOVER" -z undo --output=undo --force=output "$image"
refused copy "$XLOG_RECOVER" --target=copy --output=copy --force=output "$image"
[ ! -e copy ] || fail 'a copy that was not replayed was left'
is_untouched "$image"

# the only way back
cp --sparse=always "$image" now.img
expect_exit 0 "$XLOG_RECOVER" -z undo --save-log=saved now.img
remember undo saved now.img
refused undo "$XLOG_RECOVER" --undo-apply=undo --output=undo --force=output now.img
refused saved "$XLOG_RECOVER" --restore-log=saved --output=saved --force=output now.img
is_untouched undo saved now.img

# what has no contents may be named as often as one likes
expect_exit 0 "$XLOG_RECOVER" --output=/dev/null --force=output --undo-apply=undo now.img
cmp now.img "$image" || fail 'not undone'
