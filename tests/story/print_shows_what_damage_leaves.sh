#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A damaged log is shown as far as it goes: what is wrong is a line on stderr,
# the rest is shown, the exit status is 4. -e stops at the first.
. "$ROOT/tests/lib/story.sh"
need_command jq

for name in crc-mid mid-magic tail-flip; do
	image=$(unpacked "$IMAGES/linux618/$name.img.zst")
	for view in '' -t -z; do
		# shellcheck disable=SC2086
		expect_exit 4 "$XLOG_PRINT" $view "$image"
		mv out all
		grep -qE "^xlog-print: $image: [0-9]+:[0-9]+: " err ||
			fail "$name $view: no finding with an LSN"
		# shellcheck disable=SC2086
		expect_exit 4 "$XLOG_PRINT" $view -e "$image"
		[ "$(wc -c <out)" -le "$(wc -c <all)" ] ||
			fail "$name $view: -e shows more"
	done
	expect_exit 4 "$XLOG_PRINT" -t "$image"
	continued=$(grep -c ^checkpoint out) || true
	expect_exit 4 "$XLOG_PRINT" -t -e "$image"
	stopped=$(grep -c ^checkpoint out) || true
	echo "$name: $continued checkpoints, $stopped before the damage"
done

# a record header that lies, an operation that lies, an item that lies: at the
# newest record of a log, with and without the checksum set right
image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
read -r daddr head < <("$XLOG_PRINT" -J --check "$image" |
	jq -r 'select(.type=="log") | "\(.daddr) \(.head)"')
newest=$("$XLOG_PRINT" -J -S "$image" |
	jq -r 'select(.type=="superblock").last_record')
at=$(((daddr + ${newest#*:}) * 512))
echo "newest record $newest of head $head"

try() {	# <what> <offset in the record> <hex byte>...
	local what=$1 offset=$2 rc=0 view

	shift 2
	cp --sparse=always "$image" bad.img
	printf '%b' "$(printf '\\x%s' "$@")" |
		dd of=bad.img bs=1 seek=$((at + offset)) conv=notrunc status=none
	for view in '' -t '-t -a' -d -S -z --explain --check --check=full; do
		rc=0
		# shellcheck disable=SC2086
		timeout 60 "$XLOG_PRINT" $view bad.img >out 2>err || rc=$?
		case $rc in
		0 | 4) ;;
		*) head err >&2; fail "$what: '$view' exits with $rc" ;;
		esac
		[ -s out ] || fail "$what: '$view' shows nothing"
	done
	rc=0
	echo "$what: $("$XLOG_PRINT" --check bad.img 2>/dev/null)"
}
try 'h_magicno' 0 fe ed ba bf
try 'h_cycle' 4 00 00 00 09
try 'h_version' 8 00 00 00 07
try 'h_len too long' 12 7f ff ff ff
try 'h_len zero' 12 00 00 00 00
try 'h_tail_lsn ahead' 24 00 00 00 01 00 00 40 00
try 'h_tail_lsn outside' 24 00 00 00 01 7f ff ff ff
try 'h_crc' 32 de ad be ef
try 'h_num_logops' 40 ff ff ff ff
try 'h_fmt' 300 00 00 00 03
try 'h_size' 320 ff ff ff ff
try 'h_fs_uuid' 304 00 11 22 33
