#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same input gives the same bytes: twice, from a file and from a pipe of
# zstd's, on one processor and on all, in any locale and time zone. Colours are
# for terminals only, and carry no meaning.
. "$ROOT/tests/lib/story.sh"
need_command script taskset zstd
packed=$IMAGES/linux618/def65-frag.img.zst
image=$(unpacked "$packed")

plain() {
	sed -E 's/\x1b\[[0-9;]*m//g; s/\r$//' "$1"
}

for view in '' -t '-t -a' '-t -J' -z -d -S --explain; do
	# shellcheck disable=SC2086
	"$XLOG_PRINT" $view "$image" >one
	# shellcheck disable=SC2086
	TZ=Asia/Kathmandu LC_ALL=C TERM=vt100 taskset -c 0 \
		"$XLOG_PRINT" $view "$image" >two
	cmp one two || fail "$view: not the same twice"
	if grep -q $'\x1b' one; then fail "$view: colours in a file"; fi

	# shellcheck disable=SC2086
	"$XLOG_PRINT" $view --color=always "$image" >coloured
	cmp one <(plain coloured) || fail "$view: colours change the text"
done
"$XLOG_PRINT" -t -a "$packed" >one
"$XLOG_PRINT" -t -a "$image" >two
cmp one two || fail 'compressed and not'

"$XLOG_PRINT" -t "$image" >one
on_terminal() {	# <variable=value>...: is there a colour?
	env "$@" script -qec "$XLOG_PRINT -t --limit=1 $image" /dev/null >typed </dev/null
	grep -q $'\x1b\\[' typed
}
on_terminal TERM=xterm || fail 'no colours on a terminal'
on_terminal TERM=xterm NO_COLOR= || fail 'no colours with an empty NO_COLOR'
if on_terminal TERM=xterm NO_COLOR=1; then fail 'colours with NO_COLOR'; fi
if on_terminal TERM=dumb; then fail 'colours on a dumb terminal'; fi
if on_terminal -u TERM; then fail 'colours on no terminal'; fi
"$XLOG_PRINT" -t --color=always --limit=1 "$image" | grep $'\x1b\\[36m' >/dev/null
"$XLOG_PRINT" -t --color=auto "$image" | cmp - one
