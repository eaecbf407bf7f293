#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --json: every line of every view is an object with a type; the first is the
# header, the last the result; values have the types that the manual promises.
. "$ROOT/tests/lib/story.sh"
need_command jq

# One process for each view: false names the line that breaks a rule.
# shellcheck disable=SC2016 # $ is jq's
rules='
def lsn: . == null or (type == "string" and test("^[0-9]+:[0-9]+$"));
def hex: type == "string" and test("^0x[0-9a-f]+$");
def check(name; ok): if ok then empty else "\(name): \(.)" end;
[inputs] as $all |
($all[0] | check("header first"; .type == "header" and .schema == "xlog" and
	.version == 1 and .tool == "xlog-print" and (.toolversion | length) > 0
	and (.device | length) > 0 and (.uuid | type) == "string")),
($all[-1] | check("result last"; .type == "result" and .exit == $exit and
	(.state | IN("clean", "dirty", "empty", "corrupt")) and
	([.records, .checkpoints, .findings] | all(type == "number")))),
($all | check("one header, log and result"; map(.type) | sort |
	map(select(IN("header", "log", "result"))) ==
	["header", "log", "result"])),
($all[] | select(.type == "log") | check("log"; (.tail | lsn) and
	(.head | lsn) and (.state | type) == "string" and
	(.bbs | type) == "number" and (.internal | type) == "boolean" and
	(.order | IN("le", "be", null)) and has("refused") and
	(.daddr != null) == .internal)),
($all[] | select(.type == "record") | check("record"; (.lsn | lsn) and
	(.tail | lsn) and ([.len, .ops, .hsize, .block, .bbs] |
	all(type == "number")) and
	(.crc | IN("ok", "none", "ok-i386", "bad")) and has("prev"))),
($all[] | select(.type == "checkpoint") | check("checkpoint"; (.lsn | lsn) and
	(.commit | lsn) and ([.tid, .items, .bytes] | all(type == "number")))),
($all[] | select(.type == "item") | check("item";
	((.checkpoint // .record) | lsn) and (.item | type) == "string")),
($all[] | select(.type == "item" and .item == "inode" and
	($raw | not)) | check("inode";
	(.ino | type) == "number" and (.fields | type) == "array" and
	.core.mode >= 0 and .core.nlink >= 0 and
	.core.magic == "0x494e" and (.core.mtime |
		test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$")))),
($all[] | select(.type == "item" and .item == "buf" and
	($raw | not)) | check("buf";
	([.daddr, .bbs] | all(type == "number")) and
	([.flags, .regions] | all(type == "array")) and
	(.regions | all(length == 2 and .[1] > 0)) and
	(.ag | type) == "number" and (.agbno | type) == "number")),
($all[] | select(.type == "item") | check("names and values"; [.. | objects |
	to_entries[] | select((.key | endswith("crc")) and (.value | hex | not)
	or (.key | endswith("lsn")) and (.value | lsn | not)
	or (.key | endswith("uuid")) and (.value |
		test("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$") | not))] ==
	[])),
($all[] | select(.type == "finding") | check("finding"; (.lsn | lsn) and
	(.severity | IN("error", "warning")) and
	([.code, .what] | all(type == "string" and length > 0))))
'

check() {	# <image> <option>...
	local image rc=0 log=() raw

	image=$(unpacked "$1")
	[ ! -f "${1%.zst}.logdev.zst" ] ||
		log=(-l "$(unpacked "${1%.zst}.logdev.zst")")
	shift
	"$XLOG_PRINT" -J "$@" "${log[@]}" "$image" >lines 2>err || rc=$?
	[ "$(wc -l <lines)" = "$(grep -c '^{"type":"[a-z-]*".*}$' lines)" ] ||
		fail "$image $*: a line is no object"
	# without decoding there is less to look at
	case "$*" in
	*-n* | *-D* | *-b*) raw=true ;;
	*) raw=false ;;
	esac
	jq -rn --argjson exit $rc --argjson raw $raw "$rules" lines >broken ||
		fail "$image $*: jq fails"
	[ ! -s broken ] || { head -n 5 broken | cut -c -400 >&2; fail "$image $*"; }
	# no key stands twice: jq keeps one. It also cuts long integers.
	sed -E 's/([:,[])([0-9]{16,})([],}])/\1"\2"\3/g' lines >quoted
	jq -c . quoted >back
	cmp -s quoted back || {
		diff quoted back | sed -n 1,4p | cut -c -400 >&2
		fail "$image $*: jq does not give back what it read"
	}
}

for name in rmap-intents never freeze; do
	for view in -S -z -d --check --explain; do
		check "$IMAGES/linux618/$name.img.zst" "$view"
	done
done
# what the items of a type look like is the same in every log
for name in rmap-intents parent-attri cow-cui-bui chmod-only clean sparse \
	    swapext tail-flip fmt uuid orphans extlog; do
	check "$IMAGES/linux618/$name.img.zst" -t --limit=2
done
for name in v4-efi-s3 i386-v4-efi-s1 be612-intents-s3 o510-v4-quotaoff2; do
	check "$IMAGES/other/$name.img.zst" -t --limit=2
done
image=$IMAGES/linux618/rmap-intents.img.zst
check "$image" --limit=4
check "$image" -t -n
check "$image" -t -D --limit=1
check "$image" -t -o --limit=1
check "$image" -t -b --limit=1

# numbers beyond 2^53 are exact
"$XLOG_PRINT" -t -J --type=efi "$image" |
	sed -nE 's/.*"item":"efi".*"id":([0-9]+),.*/\1/p' | head -n 1 >ids || true
"$XLOG_PRINT" -t --type=efi "$image" |
	sed -nE 's/.*EFI +id (0x[0-9a-f]+).*/\1/p' | head -n 1 >hex || true
[ "$(cat ids)" = "$(printf '%u' "$(cat hex)")" ] || fail 'an id is not exact'

# damage is an object on stdout, and nothing is said twice
rc=0
"$XLOG_PRINT" -t -J "$IMAGES/linux618/tail-flip.img.zst" >lines 2>err || rc=$?
[ $rc = 4 ] && [ ! -s err ]
[ "$(jq -r 'select(.type == "finding").code' lines | sort -u | head -n 1)" = log.crc ]
# a failure in opening is text, and no JSON
expect_exit 8 "$XLOG_PRINT" -J nothing
[ ! -s out ] && [ -s err ]
