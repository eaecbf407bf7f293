#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Release build only: a program of its own is linked against the library.
#
# A packager installs into a staging folder; a programmer compiles thirty lines
# against the installed header and libxlog.pc, and sees head and tail.
. "$ROOT/tests/lib/story.sh"

make -s -C "$ROOT" install DESTDIR="$PWD/root" PREFIX=/opt/xlog
export PKG_CONFIG_PATH=$PWD/root/opt/xlog/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$PWD/root
[ "$(pkg-config --modversion libxlog)" = "$("$XLOG_PRINT" -V | awk '{print $2}')" ] ||
	fail 'libxlog.pc and xlog-print disagree on the version'

read -r -a flags < <(pkg-config --cflags --libs libxlog)
"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror "$ROOT/tests/fixtures/headtail.c" \
	"${flags[@]}" -o headtail
export LD_LIBRARY_PATH=$PWD/root/opt/xlog/lib
ldd headtail >libraries
grep -q "libxlog.so.0 => $PWD/root" libraries ||
	fail 'the program does not use the installed library'
readelf -d headtail root/opt/xlog/sbin/* root/opt/xlog/lib/libxlog.so.0 |
	grep -E 'RPATH|RUNPATH' && fail 'a search path is built in'

images_table | while IFS=$'\t' read -r name image logdev _ state tail head _ _ _ outcome _; do
	# what is damaged has no head and tail that all agree on
	[ "$outcome" = ok ] && [ "$logdev" = - ] || continue
	./headtail "$(unpacked "$image")" >out || fail "$name: headtail exits with $?"
	[ "$(cat out)" = "$state: head $head, tail $tail" ] ||
		fail "$name: $(cat out), expected $state: head $head, tail $tail"
done

make -s -C "$ROOT" uninstall DESTDIR="$PWD/root" PREFIX=/opt/xlog
left=$(find root ! -type d)
[ -z "$left" ] || fail "uninstall leaves $left"
