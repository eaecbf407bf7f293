#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-recover --json: every line is an object with a type; the first is the
# header, the last the result; the log comes before what is in it; values have
# the types that the manual promises.
. "$ROOT/tests/lib/story.sh"
need_command jq

# shellcheck disable=SC2016 # $ is jq's
rules='
def lsn: . == null or (type == "string" and test("^[0-9]+:[0-9]+$"));
def number_or_null: . == null or type == "number";
def string_or_null: . == null or (type == "string" and length > 0);
def check(name; ok): if ok then empty else "\(name): \(.)" end;
[inputs] as $all |
($all[0] | check("header first"; .type == "header" and .schema == "xlog" and
	.version == 1 and .tool == "xlog-recover" and
	(.toolversion | length) > 0 and .device == $device and
	(.uuid | test("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")))),
($all | check("one header, log and result"; map(.type) | sort |
	map(select(IN("header", "log", "result"))) ==
	["header", "log", "result"])),
($all | check("the log before what is in it"; map(.type) |
	index("log") as $log | index("block", "remainder") |
	. == null or . > $log)),
($all[] | check("known types"; .type | IN("header", "log", "block",
	"remainder", "finding", "step", "explain", "result"))),
($all[] | select(.type == "log") | check("log"; (.tail | lsn) and
	(.head | lsn) and (.state | IN("clean", "dirty", "empty", "corrupt"))
	and (.bbs | type) == "number" and (.internal | type) == "boolean" and
	(.order | IN("le", "be", null)) and (.refused | string_or_null) and
	(.daddr != null) == .internal)),
($all[] | select(.type == "block") | check("block";
	([.daddr, .bbs, .ag] | all(type == "number")) and .bbs > 0 and
	(.owner | length) > 0 and
	([.before, .after] | all(test("^0x[0-9a-f]{8}$"))))),
($all[] | select(.type == "remainder") | check("remainder";
	(.kind | IN("intent", "unlinked", "cow")) and (.what | length) > 0 and
	(.lsn | lsn) and (.realtime | type) == "boolean" and
	([.id, .ino, .ag, .agbno, .blocks] | all(number_or_null)) and
	if .kind == "intent" then .lsn != null and .id != null and
		(.item | IN("efi", "rui", "cui", "bui", "attri", "xmi"))
	elif .kind == "unlinked" then .ino != null and .ag != null
	else .ag != null and .agbno != null and .blocks != null end)),
($all[] | select(.type == "finding") | check("finding"; (.lsn | lsn) and
	(.severity | IN("error", "warning")) and
	([.code, .what] | all(type == "string" and length > 0)))),
($all[-1] | check("result last"; .type == "result" and .exit == $exit)),
($all | check("counts"; .[-1] as $r |
	$r.intents == (map(select(.kind == "intent")) | length) and
	$r.unlinked == (map(select(.kind == "unlinked")) | length) and
	$r.cow_extents == (map(select(.kind == "cow")) | length))),
($all[-1] | check("result"; (.state | string_or_null) and
	([.sb_lsn, .unmount_lsn] | all(lsn)) and
	([.refused, .target, .undo] | all(string_or_null)) and
	(.wrote | type) == "boolean" and
	([.records, .checkpoints, .items, .uncommitted, .buffers, .inodes,
	  .dquots, .icreates, .newer, .cancelled, .intents, .unlinked,
	  .cow_extents, .healed, .bad_crc, .changed, .blocks_written, .windows,
	  .peak_bytes, .findings] | all(type == "number")) and
	(.beyond | number_or_null) and (.consistent | IN(true, false, null))))
'

check() {	# <exit status> <image> <option>...
	local want=$1 image=$2 rc=0

	shift 2
	"$XLOG_RECOVER" -J "$@" "$image" >lines 2>err || rc=$?
	[ $rc = "$want" ] || { cat err lines >&2; fail "$image $*: exit status $rc"; }
	[ ! -s err ] || { cat err >&2; fail "$image $*: text as well"; }
	[ "$(wc -l <lines)" = "$(grep -c '^{"type":"[a-z-]*".*}$' lines)" ] ||
		fail "$image $*: a line is no object"
	jq -rn --argjson exit $rc --arg device "$image" "$rules" lines >broken ||
		fail "$image $*: jq fails"
	[ ! -s broken ] || { head -n 5 broken | cut -c -400 >&2; fail "$image $*"; }
	# no key stands twice: jq keeps one. It also cuts long integers.
	sed -E 's/([:,[])([0-9]{16,})([],}])/\1"\2"\3/g' lines >quoted
	jq -c . quoted | cmp -s quoted - || fail "$image $*: jq does not give back what it read"
}

has() {	# <jq condition on the array of objects>
	jq -se "$1" lines >/dev/null || { tail -n 1 lines >&2; fail "not: $1"; }
}

image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
check 4 "$image" -n
has '.[-1].state == "dirty" and .[-1].wrote == false and
	.[-1].blocks_written > 0 and any(.[]; .owner == "agi") and
	.[-1].unmount_lsn != null'
check 4 "$image" -n --explain
has 'any(.[]; .type == "step") and any(.[]; .type == "explain" and
	(.features | index("crc")) and .refused == null)'
check 4 "$image" -n --stop-at='#1'
has '.[-1].consistent == true and .[-1].beyond == 0'
check 0 "$image" --target=copy
has '.[-1].state == "clean" and .[-1].target == "copy" and .[-1].wrote and
	all(.[]; .type != "block")'
check 0 copy
has '.[-1].state == "clean" and .[-1].wrote == false'
cp --sparse=always "$image" now.img
rm lines
expect_exit 0 "$XLOG_RECOVER" --output=lines -J -v --verify=reread now.img
[ ! -s out ] || fail 'output on stdout as well'
has '.[-1].exit == 0 and any(.[]; .type == "block")'

for name in rmap-intents orphans parent-attri; do
	image=$(unpack "$IMAGES/linux618/$name.img.zst")
	check 4 "$image" -n
	has '.[-1].refused == null and .[-1].state == "dirty" and
		.[-1].wrote == false and any(.[]; .type == "remainder")'
	check 0 "$image"
	has '.[-1].refused == null and .[-1].state == "clean" and
		.[-1].wrote and any(.[]; .type == "remainder")'
done
image=$(unpack "$IMAGES/linux618/cow-cui-bui.img.zst")
check 4 "$image" --intents=refuse
has '.[-1].refused != null and .[-1].state == "dirty" and
	.[-1].wrote == false and any(.[]; .type == "remainder")'
for name in tail-flip uuid; do
	image=$(unpack "$IMAGES/linux618/$name.img.zst")
	check 4 "$image"
	has '.[-1].refused != null and any(.[]; .type == "finding") and
		(map(select(.type == "log"))[0].refused != null)'
done

# numbers beyond 2^53 are exact
"$XLOG_RECOVER" -J --intents=refuse cow-cui-bui.img | sed -nE 's/.*"item":"efi","id":([0-9]+),.*(0x[0-9a-f]+).*/\1 \2/p' >ids || true
[ -s ids ] || fail 'no intent'
while read -r id hex; do
	[ "$id" = "$(printf '%u' "$hex")" ] || fail "an id is not exact: $id, $hex"
done <ids
# a failure in opening is text, and no JSON
expect_exit 8 "$XLOG_RECOVER" -J nothing
[ ! -s out ] && [ -s err ]
