#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# SOURCE_DATE_EPOCH and DETERMINISTIC_SEED: the same options make the same
# bytes, whatever was there and whatever the file is called. Without them, or
# where anything is different, no two filesystems have one UUID.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command xfs_db xfs_repair
export SOURCE_DATE_EPOCH=1700000000 DETERMINISTIC_SEED=1

make() {	# <file> <argument>...
	local file=$1

	shift
	rm -f "$file"
	expect_exit 0 "$XLOG_MKFS" -x -q "$@" -d size=48m "$file"
}

uuid() {
	xfs_db -r -c 'sb 0' -c 'p uuid' "$1" | sed 's/.* = //'
}

same() {	# <argument>...
	make a "$@"
	make b "$@"
	"$DIFFER" -s a b || fail "$*: other bytes"
	# over something else, by another name
	head -c 48m /dev/zero | tr '\0' '\252' >other
	expect_exit 0 "$XLOG_MKFS" -x -q -f "$@" other
	[ "$(uuid a)" = "$(uuid other)" ] || fail "$*: another UUID"
	xfs_repair -n other >/dev/null 2>&1 || fail "$*: not sound"
}

same
same -L label -d agcount=2 -l size=16m,su=32k -m rmapbt=0 -i maxpct=7
same -b size=1k -i size=512 -m bigtime=0
same -m uuid=c68ab222-0000-1111-2222-333344445555
[ "$(uuid a)" = c68ab222-0000-1111-2222-333344445555 ] || fail "not the UUID that was given: $(uuid a)"

# the values of mkfs.xfs
make a
xfs_db -r -c 'sb 0' -c 'addr rbmino' -c 'p core.gen core.mtime.sec core.mtime.nsec v3.crtime.nsec' a >values
grep -qx 'core.gen = 1397048644' values || fail "generations: $(cat values)"
grep -qx 'core.mtime.sec = Tue Nov 14 22:13:20 2023' values ||
	fail "times: $(cat values)"
[ "$(grep -c 'nsec = 0' values)" = 2 ] || fail "times: $(cat values)"

# one thing is different: another UUID
: >uuids
make a
uuid a >>uuids
make a -L label
uuid a >>uuids
make a -l size=15m
uuid a >>uuids
make a -b size=2k
uuid a >>uuids
SOURCE_DATE_EPOCH=1700000001 make a
uuid a >>uuids
DETERMINISTIC_SEED=0 make a
uuid a >>uuids
DETERMINISTIC_SEED='' make a
uuid a >>uuids
[ "$(sort -u uuids | wc -l)" = 7 ] || fail "not different: $(cat uuids)"
make a
grep -qx "$(uuid a)" <(head -n 1 uuids) || fail 'not the same'
grep -vqE '^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' uuids &&
	fail "no UUID: $(cat uuids)"
unset SOURCE_DATE_EPOCH DETERMINISTIC_SEED
make a
make b
[ "$(uuid a)" != "$(uuid b)" ] || fail 'the same UUID at random'
