#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -z saves what is overwritten in a new file, where it was told or, as -z "",
# in the folder that XLOG_UNDO_DIR names; the way back is printed. The wrong
# device, or one that has changed since, is refused.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
dirty=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
again() {
	cp --sparse=always "$dirty" now.img
}

again
expect_exit 0 "$XLOG_RECOVER" -z saved now.img
shows 'to undo: xlog-recover --undo-apply=saved now.img'
cp --sparse=always now.img done.img
remember saved
expect_exit 0 "$XLOG_RECOVER" --undo-apply=saved now.img
shows 'now.img: as it was before, by saved'
cmp now.img "$dirty"
expect_exit 0 "$XLOG_RECOVER" -q --undo-apply=saved now.img
[ ! -s out ] || fail '-q: output'
expect_exit 0 "$XLOG_RECOVER" -J --undo-apply=saved now.img
[ "$(cut -d, -f 1 out | paste -sd ' ')" = '{"type":"header" {"type":"result"' ] ||
	fail "JSON: $(cat out)"
cmp now.img "$dirty"
is_untouched saved

# a name of its own
mkdir undo
XLOG_UNDO_DIR=$PWD/undo expect_exit 0 "$XLOG_RECOVER" -z '' ./now.img
[ -s undo/xlog-recover-now.img.undo ] || fail "not where it belongs: $(ls undo)"
shows "--undo-apply=$PWD/undo/xlog-recover-now.img.undo ./now.img"
# XLOG_UNDO_DIR alone asks for nothing
again
rm undo/*
XLOG_UNDO_DIR=$PWD/undo expect_exit 0 "$XLOG_RECOVER" now.img
[ -z "$(ls undo)" ] || fail 'an undo file that nobody asked for'

# a file that is there is kept, and nothing is written; nor without a folder
again
remember now.img
expect_exit 8 "$XLOG_RECOVER" -z saved now.img
says 'saved'
is_untouched saved now.img
expect_exit 8 "$XLOG_RECOVER" -z nowhere/saved now.img
is_untouched now.img
# nor is one left where there is nothing to undo
expect_exit 0 "$XLOG_RECOVER" -z none done.img
[ ! -e none ] || fail 'an undo file of nothing'

# another filesystem; no undo file; changed since
other=$(unpack "$IMAGES/linux618/bs1k.img.zst")
remember "$other"
expect_exit 4 "$XLOG_RECOVER" --undo-apply=saved "$other"
expect_exit 8 "$XLOG_RECOVER" --undo-apply="$other" "$other"
expect_exit 8 "$XLOG_RECOVER" --undo-apply=missing "$other"
expect_exit 8 "$XLOG_RECOVER" --undo-apply=saved missing
is_untouched "$other" saved
expect_exit 0 "$XLOG_RECOVER" now.img
at=$({ cmp -l now.img "$dirty" || true; } | awk 'NR == 1 { print $1 - 1 }')
printf 'X' | dd of=now.img bs=1 seek="$at" conv=notrunc status=none
remember now.img
expect_exit 4 "$XLOG_RECOVER" --undo-apply=saved now.img
is_untouched now.img
expect_exit 0 "$XLOG_RECOVER" --force=changed --undo-apply=saved now.img
cmp now.img "$dirty" || fail 'not as it was'
