#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The long options of --help, of the manual page and of both completions are
# the same ones, and bash really completes them.
. "$ROOT/tests/lib/story.sh"

long() {
	grep -oE -e '--[a-z][a-z-]+' | sort -u
}

agree() {	# <what> <file>
	diff -u --label "$tool --help" "$tool.help" --label "$1" "$2" ||
		fail "$1 has other options than $tool --help"
}

tools=0
for source in "$ROOT"/cmd/xlog-*.c; do
	tool=${source##*/}
	tool=${tool%.c}
	"$BUILD/$tool" --help >text
	sed -nE 's/^ +(-., )*(--[a-z-]+).*/\2/p' text | long >"$tool.help"
	[ -s "$tool.help" ] || fail "$tool --help shows no options"
	"$BUILD/$tool" -h >text.h
	cmp text text.h

	man=$ROOT/man/$tool.8
	sed -n '/^\.SH OPTIONS/,/^\.SH OUTPUT/p' "$man" | tr -d '\134' |
		awk 'tag {print; tag = 0} /^\.T[PQ]/ {tag = 1}' | long >man.long
	agree "man/$tool.8" man.long
	long <"$ROOT/completions/$tool.bash" >bash.long
	agree "completions/$tool.bash" bash.long
	long <"$ROOT/completions/_$tool" >zsh.long
	agree "completions/_$tool" zsh.long

	while read -r option; do
		got=$(bash --norc -c '
			. "$1"
			# complete -F FUNCTION ... COMMAND
			read -r -a words < <(complete -p "$2")
			for ((i = 0; i < ${#words[@]}; i++)); do
				[ "${words[i]}" != -F ] || f=${words[i + 1]}
			done
			COMP_WORDS=("$2" "$3")
			COMP_CWORD=1
			COMP_LINE="$2 $3"
			COMP_POINT=${#COMP_LINE}
			"$f" "$2" "$3" "$2"
			printf "%s\n" "${COMPREPLY[@]}"
		' - "$ROOT/completions/$tool.bash" "$tool" "$option")
		grep -qxE -e "$option=?" <<<"$got" ||
			fail "bash completes $option to: $got"
	done <"$tool.help"
	tools=$((tools + 1))
done
[ $tools != 0 ] || fail 'no tool found'
