#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Without options: what lies in the log from its first block to its last, old
# records and what is no record included. -d is a map of the same.
. "$ROOT/tests/lib/story.sh"
cd "$IMAGES/linux618"

show() {
	echo "\$ xlog-print $*"
	"$XLOG_PRINT" "$@"
	echo
}

show never.img.zst
show --limit=2 rmap-intents.img.zst
show -n --limit=2 --start=24461 rmap-intents.img.zst
show --type=efi,efd --from=2:56 rmap-intents.img.zst
show -d never.img.zst
show -d rmap-intents.img.zst | sed -n '1,12p'
show -d torn-old.img.zst | tail -n 8
show -d clean.img.zst | tail -n 8

# stale blocks are shown when asked for, and not otherwise
"$XLOG_PRINT" rmap-intents.img.zst >"$OLDPWD/plain"
"$XLOG_PRINT" --overwrite rmap-intents.img.zst >"$OLDPWD/overwrite"
"$XLOG_PRINT" -v rmap-intents.img.zst >"$OLDPWD/verbose" 2>"$OLDPWD/err"
cd "$OLDPWD"
cmp overwrite verbose
cmp plain <(grep -vE '^    [0-9a-f]{6}  ' overwrite)
grep -cE '^    [0-9a-f]{6}  ' overwrite
