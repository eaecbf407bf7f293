#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-bench refuses what it cannot use, with the reason and exit status 4 or 8;
# and when a device fails under it, it ends, and says so.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command flock mkfs.xfs

refused() {	# <exit status> <words> <argument>...
	expect_exit "$1" timeout 60 "$XLOG_BENCH" -n 100 "${@:3}"
	[ ! -s out ] || fail "${*:3}: output on stdout"
	says "$2"
}

fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
refused 4 'the log is dirty: recover it first' "$fs"
refused 4 'the log is dirty: recover it first' \
	"$IMAGES/linux618/chmod-only.img.zst"
expect_exit 0 "$XLOG_RECOVER" "$fs"
remember "$fs"
refused 8 'No such file' nothing
refused 8 'a directory' .
refused 8 'a character device' /dev/null
truncate -s 64m empty
refused 8 'not an XFS filesystem' empty
head -c 1000000 "$fs" >short
refused 4 'cut short: the log ends at byte' short
refused 16 'the filesystem has an internal log' -l logdev=empty "$fs"
truncate -s 400m external
truncate -s 70m log
mkfs.xfs -q -l logdev=log,size=64m external >told
refused 16 'the log is on a device of its own' external
truncate -s 60m log
refused 4 'cut short' -l logdev=log external
refused 4 'only filesystems of version 5' \
	"$(unpacked "$IMAGES/other/v4-noflush.img.zst")"

# somebody else has it
exec 5<"$fs"
flock -x 5
refused 4 'in use' --scratch "$fs"
exec 5<&-
is_untouched "$fs"

# a device that takes nothing: the log lies beyond this limit
for option in -j1 -j4 '-j4 --fsync-every=7' '-j2 -o nodelaylog'; do
	rc=0
	# shellcheck disable=SC2086 # several options
	(
		trap '' XFSZ
		ulimit -f 1000
		exec timeout 60 "$XLOG_BENCH" -q --scratch $option "$fs"
	) >out 2>err || rc=$?
	[ $rc = 8 ] || [ $rc = 12 ] || { cat err >&2; fail "$option: exit status $rc"; }
	says 'the log is shut down'
	is_untouched "$fs"
done
expect_exit 8 "$XLOG_BENCH" --mem=400m -n 10 --output=/dev/full --force=output
