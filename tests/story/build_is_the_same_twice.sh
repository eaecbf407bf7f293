#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Release build only: that is what gets packaged.
#
# A rebuild in another folder, at another time, gives the same bytes.
. "$ROOT/tests/lib/story.sh"

mkdir tree
(cd "$ROOT" && . tests/lib/files.sh && files_of 'cmd/*' 'libx*' Makefile |
	tar -cf - -T -) | tar -C tree -xf -
make -s -C tree -j2 all
for file in "$BUILD"/xlog-* "$BUILD"/libxlog.so.*; do
	[ -x "$file" ] || continue
	cmp "$file" "tree/build/release/${file##*/}"
done
