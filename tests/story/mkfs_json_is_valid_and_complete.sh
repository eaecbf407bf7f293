#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-mkfs --json: every line is an object with a type; the first is the
# header, the last the result; values have the types that the manual promises.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command jq mkfs.ext4

# shellcheck disable=SC2016 # $ is jq's
rules='
def string_or_null: . == null or (type == "string" and length > 0);
def number_or_null: . == null or type == "number";
def uuid: test("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");
def numbers(o; keys): [o[keys[]]] | all(type == "number");
def check(name; ok): if ok then empty else "\(name): \(.)" end;
[inputs] as $all |
($all[0] | check("header first"; .type == "header" and .schema == "xlog" and
	.version == 1 and .tool == "xlog-mkfs" and
	(.toolversion | length) > 0 and .device == $device and
	(.uuid | . == null or uuid))),
($all | check("one header, geometry or log, result";
	map(.type) | map(select(. != "probe" and . != "finding")) |
	. == ["header", "geometry", "result"] or . == ["header", "log", "result"]
	or (. == ["header", "result"] and $exit != 0))),
($all[] | check("known types"; .type | IN("header", "geometry", "log",
	"probe", "finding", "result"))),
($all[] | select(.type == "geometry") | check("geometry";
	numbers(.; ["bsize", "sectsize", "isize", "dirbsize", "blocks",
		    "agcount", "agsize", "sunit", "swidth", "imaxpct"]) and
	(.features | length > 0 and all(test("^[a-z0-9]+$"))) and
	(.log | (.internal | type) == "boolean" and
		numbers(.; ["blocks", "sectsize", "sunit", "minimum", "need",
			    "logcount"]) and
		([.ag, .agbno] | all(number_or_null)) and
		(.ag != null) == .internal and
		(.reservation | test("^tr_[a-z]+$"))))),
($all[] | select(.type == "log") | check("log";
	(.internal | type) == "boolean" and
	numbers(.; ["bbs", "logversion", "sectsize", "sunit", "cycle"]) and
	(.state | IN("clean", "dirty", "empty", "corrupt")))),
($all[] | select(.type == "probe") | check("probe"; (.device | length) > 0 and
	(.contains | length) > 0 and (.offset | type) == "number" and
	([.uuid, .label] | all(string_or_null)) and
	([.partitions, .dirty] | all(type == "boolean")))),
($all[] | select(.type == "finding") | check("finding"; .lsn == null and
	(.severity | IN("error", "warning")) and
	([.code, .what] | all(type == "string" and length > 0)))),
($all[-1] | check("result last"; .type == "result" and .exit == $exit and
	(.uuid | . == null or uuid) and (.wrote | type) == "boolean" and
	(.undo | string_or_null) and
	.findings == ($all | map(select(.type == "finding")) | length)))
'

check() {	# <exit status> <file> <argument>...
	local want=$1 file=$2 rc=0

	shift 2
	"$XLOG_MKFS" -J "$@" "$file" >lines 2>err || rc=$?
	[ $rc = "$want" ] || { cat err lines >&2; fail "$*: exit status $rc"; }
	[ $rc != 0 ] || [ ! -s err ] || { cat err >&2; fail "$*: text as well"; }
	[ "$(wc -l <lines)" = "$(grep -c '^{"type":"[a-z-]*".*}$' lines)" ] ||
		fail "$*: a line is no object"
	jq -rn --argjson exit $rc --arg device "$file" "$rules" lines >broken ||
		fail "$*: jq fails"
	[ ! -s broken ] || { head -n 5 broken | cut -c -400 >&2; fail "$*"; }
	# no key stands twice: jq keeps one
	jq -c . lines | cmp -s lines - || fail "$*: jq does not give back what it read"
}

has() {	# <jq condition on the array of objects>
	jq -se "$1" lines >/dev/null || { cat lines >&2; fail "not: $1"; }
}

blank fs 400m
remember fs
check 0 fs -N
has '.[0].uuid == null and .[-1].wrote == false and .[-1].uuid == null'
has '.[1] | .blocks == 102400 and .agcount == 4 and .log.internal and
	.log.blocks == 16384 and .log.minimum == 16384 and .log.ag == 2 and
	.log.need == 3075 and .log.reservation == "tr_itruncate" and
	.log.logcount == 8 and (.features | index("rmapbt"))'
is_untouched fs
check 0 fs -q -m uuid=c68ab222-0000-1111-2222-333344445555
has '.[0].uuid == "c68ab222-0000-1111-2222-333344445555" and
	.[-1].uuid == .[0].uuid and .[-1].wrote'

# what is there: refused, without a geometry; or not
blank log 100m
mkfs.ext4 -q -F -L PRECIOUS log
remember fs log
check 4 fs -l logdev=log
has 'map(select(.type == "probe")) | length == 2 and
	.[0].device == "fs" and .[0].contains == "xfs" and .[0].dirty == false and
	.[0].uuid == "c68ab222-0000-1111-2222-333344445555" and
	.[1].device == "log" and .[1].contains == "ext4" and .[1].label == "PRECIOUS"'
has 'all(.[]; .type != "geometry") and .[-1].wrote == false'
grep -q 'log: contains ext4' err || fail 'no reason on stderr'
check 0 fs -f -N -l logdev=log
has '(map(select(.type == "probe")) | length) == 2 and
	any(.[]; .type == "geometry" and .log.internal == false)'
is_untouched fs log
check 16 fs -f -d agcount=400
has '.[-1].exit == 16'
check 0 fs -f -z undo -m rmapbt=0 -d su=64k,sw=2,agcount=4
has '.[-1].undo == "undo" and any(.[]; .type == "geometry" and .sunit == 16 and
	(.features | index("rmapbt") | not))'

# warnings are findings
check 0 fs -f -N -d size=409601k
has 'any(.[]; .type == "finding" and .severity == "warning")'

# only a log
check 0 fs --log-only
has '.[1].type == "log" and .[1].state == "clean" and .[1].cycle == 2 and
	.[-1].head == "2:128" and .[-1].uuid == .[0].uuid'
rm lines
expect_exit 0 "$XLOG_MKFS" --output=lines -J -N -f fs
[ ! -s out ] || fail 'output on stdout as well'
has '.[-1].exit == 0'
# a failure in opening is text, and no JSON
expect_exit 8 "$XLOG_MKFS" -J nothing
[ ! -s out ] && [ -s err ]
