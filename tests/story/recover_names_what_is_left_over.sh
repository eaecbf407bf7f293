#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a mount would go on with after replay is finished, too. --intents=refuse
# refuses what is pending, named, at most 16 lines of it unless more are wanted;
# the filesystem is left as it is, exit status 4. --iunlinks=leave leaves
# unlinked inodes to the next mount, --intents=skip drops intents in a copy.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"

# 9 intents, 3 unlinked inodes and far more than 4 leftover extents
image=$(unpack "$IMAGES/linux618/rmap-intents.img.zst")
remember "$image"
"$XLOG_RECOVER" -n -J "$image" >json || true
total=$(grep -c '"type":"remainder"' json)
is_untouched "$image"
for option in '' '-n' '-z undo' --iunlinks=leave; do
	# shellcheck disable=SC2086 # no option is no word
	expect_exit 4 "$XLOG_RECOVER" --intents=refuse $option "$image"
	is_untouched "$image"
	[ ! -e undo ] || fail 'an undo file was left'
	shows 'a mount would go on with: 9 intents pending; 3 unlinked inodes; '
	shows "$image: dirty, left as it is"
	says '9 unfinished intents'
	[ "$(grep -cE ' [0-9]+:[0-9]+: (efi|rui|cui|bui) 0x' err)" = 9 ] ||
		{ cat err >&2; fail 'not every intent is named'; }
done
expect_exit 4 "$XLOG_RECOVER" -n -v "$image"
[ "$(grep -cE 'efi|rui|cui|bui|: unlinked|set aside' err)" = "$total" ] ||
	fail "-v does not show all $total"
expect_exit 4 "$XLOG_RECOVER" -q --intents=refuse "$image"
[ ! -s out ] || fail '-q: output'
says '9 unfinished intents'
expect_exit 4 "$XLOG_RECOVER" -n "$image"
[ ! -s err ] || { cat err >&2; fail 'what can be finished is complained about'; }
shows '9 intents pending; 3 unlinked inodes; '
is_untouched "$image"

# in a copy they can be dropped: for those who want to look at the rest
expect_exit 4 "$XLOG_RECOVER" --intents=skip --iunlinks=leave --target=copy "$image"
shows 'replayed '
shows 'copy: dirty: what was pending is lost'
[ -e copy ]
is_untouched "$image"
expect_exit 4 "$XLOG_RECOVER" --intents=skip --iunlinks=leave -n "$image"
is_untouched "$image"
# what is dropped is not said to be done, whatever else is
rm copy
expect_exit 4 "$XLOG_RECOVER" --intents=skip --target=copy "$image"
shows '3 unlinked inodes freed; '
shows 'copy: dirty: what was pending is lost'
expect_exit 4 "$XLOG_PRINT" --check copy
shows 'dirty: '
rm copy

# what only replay may ignore is refused before that
if command -v xfs_db >/dev/null; then
	cp --sparse=always "$image" unknown.img
	xfs_db -x -c 'sb 0' -c 'write -d features_ro_compat 0x4000000f' \
		unknown.img >out 2>&1 || fail 'xfs_db cannot set a feature'
	remember unknown.img
	for option in '' -n; do
		# shellcheck disable=SC2086 # no option is no word
		expect_exit 4 "$XLOG_RECOVER" --force=features $option unknown.img
		says 'in a filesystem with unknown features'
		shows 'unknown.img: dirty, left as it is'
		is_untouched unknown.img
	done
	rm unknown.img unknown.img.kept
fi

# intents alone, and then the rest
expect_exit 4 "$XLOG_RECOVER" --iunlinks=leave "$image"
shows '9 intents finished; 3 unlinked inodes; '
shows "$image: dirty: the next mount frees what is left over"
expect_exit 0 "$XLOG_RECOVER" "$image"
shows '0 intents pending; 3 unlinked inodes freed; '
shows "$image: clean (unmount record at "

# unlinked inodes alone
image=$(unpack "$IMAGES/linux618/orphans.img.zst")
expect_exit 4 "$XLOG_RECOVER" --iunlinks=leave "$image"
[ ! -s err ] || { cat err >&2; fail 'what was asked to be left is complained about'; }
shows '144 unlinked inodes'
shows "$image: dirty: the next mount frees what is left over"
expect_exit 4 "$XLOG_PRINT" --check "$image"
shows 'dirty: '
# what a mount would have to do is still found
expect_exit 0 "$XLOG_RECOVER" "$image"
shows '144 unlinked inodes freed'
