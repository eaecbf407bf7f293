# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For stories, after story.sh: whether a file is as it was, and what was said.

# remember FILE...: its bytes and the time of its last change
remember() {
	local f

	for f; do
		cp --sparse=always "$f" "$f.kept"
		stat -c '%y %s' "$f" >"$f.stat"
	done
}

# is_untouched FILE...: it is as it was remembered, its time too
is_untouched() {
	local f

	for f; do
		[ "$(stat -c '%y %s' "$f")" = "$(cat "$f.stat")" ] ||
			fail "$f: its size or the time of its last change is another"
		"$DIFFER" -s "$f" "$f.kept" || fail "$f: its bytes are others"
	done
}

# says WORDS: the messages of the last expect_exit have these words
says() {
	grep -qF -- "$1" err || { head -n 20 err >&2; fail "no word of '$1'"; }
}

# shows WORDS: what it put out has
shows() {
	grep -qF -- "$1" out || { head -n 20 out >&2; fail "no '$1' is shown"; }
}
