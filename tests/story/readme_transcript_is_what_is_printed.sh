#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every line of the transcript in the README is printed by `make demo`, which
# fits on a page and a half, and goes through.
. "$ROOT/tests/lib/story.sh"
need_command xfs_logprint

"$ROOT/tests/lib/demo.sh" "$BUILD" >demo
[ "$(wc -l <demo)" -le 75 ] || fail "the demo has $(wc -l <demo) lines"
# shellcheck disable=SC2016 # marks of the text
sed -n '/^What `make demo` shows/,/^## /s/^    //p' "$ROOT/README.md" >readme
[ "$(wc -l <readme)" -ge 10 ] || fail 'no transcript in the README'
while IFS= read -r line; do
	grep -qxF -e "$line" demo || fail "not printed: $line"
done <readme
