#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is not XFS, or cannot be read: exit status 8. What is XFS and bad: 4.
# One clear line on stderr, nothing on stdout.
. "$ROOT/tests/lib/story.sh"

refused() {	# <status> <words of the message> <argument>...
	local status=$1 words=$2 option

	shift 2
	for option in --check -t -S -d -z --explain --json -t; do
		expect_exit "$status" "$XLOG_PRINT" $option "$@"
		[ ! -s out ] || fail "$option $*: output on stdout"
		[ "$(wc -l <err)" = 1 ] || { cat err >&2; fail "$option $*: not one line"; }
		grep -qF -- "$words" err || { cat err >&2; fail "$option $*"; }
	done
}

: >empty
mkdir folder
head -c 1048576 /dev/zero >zeros
head -c 1000000 /bin/bash >program 2>/dev/null || cp /bin/sh program
printf XFSB >four
printf XFSB >four
refused 8 'is empty' empty
refused 8 'a directory' folder
refused 8 'No such file' nothing
refused 8 'Not a directory' empty/nothing
refused 8 'neither an XFS filesystem nor an XFS log' zeros
refused 8 'neither an XFS filesystem nor an XFS log' program
refused 8 'neither an XFS filesystem nor an XFS log' four
refused 8 'a character device' /dev/null
refused 8 'behind the end' --offset=1g "$IMAGES/linux618/never.img.zst"
if [ "$(id -u)" != 0 ]; then
	cp program unreadable
	chmod 0 unreadable
	refused 8 'Permission denied' unreadable
fi
head -c 100000 "$IMAGES/linux618/never.img.zst" | head -c 2000 >cut.zst
refused 8 'cut.zst' cut.zst

image=$(unpack "$IMAGES/linux618/never.img.zst")
poke() {	# OFFSET HEX...: a copy with bytes at OFFSET changed
	cp --sparse=always "$image" bad.img
	printf '%b' "$(printf '\\x%s' "${@:2}")" |
		dd of=bad.img bs=1 seek="$1" conv=notrunc status=none
}
poke 0 00 00 00 00
refused 8 'neither an XFS filesystem nor an XFS log' bad.img
poke 4 00 00 10 01		# block size
refused 4 'superblock: ' bad.img
poke 100 30 b7			# version 7
refused 4 'superblock: ' bad.img
poke 300 ff			# its checksum
refused 4 'superblock: ' bad.img
truncate -s 1M "$image"
refused 4 'cut short' "$image"
