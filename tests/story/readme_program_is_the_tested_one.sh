#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program in the README is the one that installed_library.sh compiles, and
# the targets and packages that the README names exist.
. "$ROOT/tests/lib/story.sh"

# shellcheck disable=SC2016 # marks of the text
sed -n '/^```c$/,/^```$/p' "$ROOT/README.md" | grep -v '^```' >readme.c
sed -n '/^#include/,$p' "$ROOT/tests/fixtures/headtail.c" >tested.c
diff -u readme.c tested.c

# shellcheck disable=SC2016
grep -oE '(^    |`)make [a-z-]+' "$ROOT/README.md" | awk '{print $NF}' |
	sort -u | while read -r target; do
		grep -qE "^$target:" "$ROOT/Makefile" || fail "no target $target"
	done

sed -nE 's/^    apt-get install +//p' "$ROOT/README.md" | tr ' ' '\n' |
	grep -vx make | sort >readme.packages
sed -n '/^find_missing/,/!= build/p' "$ROOT/tests/lib/deps.sh" |
	sed -nE 's/^\t[a-z]+_of ([a-z0-9.+-]+) .*/\1/p' | sort >needed.packages
diff -u needed.packages readme.packages
