#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The shared library exports exactly the functions that the public headers
# declare, and the version script names them.
set -eu
lib=${BUILD:-build/release}/libxlog.so.$(sed -n 's/^VERSION[	 ]*:= *//p' Makefile)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

grep -hE '^[a-z]' libxlog/xlog*.h | grep -vE '^(static|typedef|enum|struct [a-z_]+ *[{;])' |
	grep -oE '\bxlog_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$tmp/declared"
sed -nE 's/^\t([a-z0-9_]+);$/\1/p' libxlog/libxlog.map | sort -u >"$tmp/script"
nm -D --defined-only "$lib" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' |
	sort -u >"$tmp/exported"
[ -s "$tmp/declared" ] || { echo 'no function found in xlog.h' >&2; exit 1; }
diff -u --label 'declared in xlog.h' "$tmp/declared" \
	--label 'named in libxlog.map' "$tmp/script" || bad=1
diff -u --label 'declared in xlog.h' "$tmp/declared" \
	--label "exported by ${lib##*/}" "$tmp/exported" || bad=1
objdump -p "$lib" | grep 'SONAME *libxlog.so.0$' >/dev/null || {
	echo 'the soname is not libxlog.so.0'
	bad=1
}
exit $bad
