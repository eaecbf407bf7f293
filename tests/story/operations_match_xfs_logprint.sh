#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Release build only: its views are run on the same images by other stories, and
# most of the time goes to xfs_logprint.
#
# xfs_logprint is what people read XFS logs with today. Whatever it can show
# right is the same here: every record in the log, old ones included, with its
# header; every operation in it (transaction, length, client, flags), in order;
# every item that a mount would replay, in order, with what it is about.
#
# Its faults, as of version 6.1, and how each is dealt with:
#
#  fault						here
#  decodes items while it lists operations, and	-n: operations only
#  stops at one of a type or byte order that it
#  does not know; leaves out the operation in
#  which a piece of a quota record goes on
#  stops where no record header stands: behind	started again at the next
#  the head, where a record has been partly	record (-s), which it then
#  overwritten, or at damage			shows without complaint
#  cannot read a record of several header	its operations are left out,
#  blocks that goes round the end of the log	if both are true of it and
#  ("data block=-1")				it shows none
#  -t: takes no big-endian log, and no record	what it printed on the
#  that only claims to be big-endian		machine that wrote the log
#						is beside the image; if not,
#						-t is left out
#  -t: does not know exchange-range and		the name of the type is not
#  realtime items				compared
#  -t: dies of an attribute item with two	compared as far as it came,
#  names, as parent pointers log it		if it died
#  -t: does not look at checksums, but stops	compared as far as it came,
#  at a spoilt header and in garbage		if it says that it stopped
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
need_command xfs_logprint zstd
parsers=$ROOT/tests/lib/logprint

# What is wrong it says by its exit status, a crash among them.
logprint() {	# <parser> <option>...
	local parser=$1

	shift
	{
		xfs_logprint "$@" "${log[@]}" "$name.img" 2>theirs.err ||
			echo "exit status $?" >>theirs.err
	} 2>/dev/null | awk -f "$parsers/$parser"
}

# Records that it shows without operations: only those of which the table says
# so. The others are found out by comparing.
without_operations() {
	awk -v log_bb="$log_bb" '
		$2 == "op" { ops[$1]++ }
		$2 == "record" {
			blocks = int(($11 + 32767) / 32768) + int(($5 + 511) / 512)
			if ($11 > 32768 && $1 + blocks > log_bb)
				wrapped[$1]
		}
		END {
			for (block in wrapped)
				if (!(block in ops))
					print block
		}' theirs
}

in_order_but() {	# <file with blocks> <file>
	awk -v but="$1" 'FILENAME == but { left_out[$1]; next }
		!($1 in left_out)' "$1" "$2" | sort -s -n -k 1,1
}

# What it did not show: from each record of which it has not been shown since.
go_on() {
	local block
	local -A shown=()

	awk 'FILENAME == "theirs" { shown[$1]; next }
	     $2 == "record" && !($1 in shown) { print $1 }' theirs ours >missing
	while read -r block; do
		[ -z "${shown[$block]:-}" ] || continue
		logprint theirs_records.awk -n -s "$block" >again
		awk 'FILENAME == "theirs" { shown[$1]; next }
		     !($1 in shown)' theirs again >new
		cat new >>theirs
		while read -r block; do
			shown[$block]=1
		done < <(cut -d ' ' -f 1 new | uniq)
		count continued
	done <missing
}

compare_records() {
	"$XLOG_PRINT" -J -n "${log[@]}" "$name.img" 2>ours.err >ours.json ||
		[ $? = 4 ] || fail "$name: $(cat ours.err)"
	awk -f "$parsers/ours_records.awk" ours.json >ours
	rm ours.json
	logprint theirs_records.awk -n >theirs
	go_on
	without_operations >left_out
	in_order_but left_out theirs >theirs.sorted
	in_order_but left_out ours >ours.sorted
	diff -u theirs.sorted ours.sorted >difference ||
		fail "$name: records: $(head -n 12 difference)"
	count left_out "$(wc -l <left_out)"
	count records "$(grep -c ' record ' theirs.sorted)"
	count operations "$(grep -c ' op ' theirs.sorted)"
}

compare_items() {
	local text=${image%.img.zst}.logprint-t.txt.zst lines

	"$XLOG_PRINT" -J -t "${log[@]}" "$name.img" 2>ours.err |
		awk -f "$parsers/ours_items.awk" >ours ||
		[ "${PIPESTATUS[0]}" = 4 ] || fail "$name: $(cat ours.err)"
	if [ -e "$text" ]; then
		zstd -dcq "$text" >theirs.text
		awk -f "$parsers/theirs_items.awk" theirs.text >theirs
		grep 'log format incompatible' theirs.text >theirs.err || true
	else
		logprint theirs_items.awk -t >theirs
	fi
	if [ "$order" = be ] && [ ! -s theirs ]; then
		grep -q 'log format incompatible\|Bad log' theirs.err ||
			fail "$name: -t shows nothing: $(cat theirs.err)"
		count without_items
		return
	fi
	awk 'FILENAME == "theirs" { unknown[FNR] = $2 == "?"; next }
	     unknown[FNR] && $2 ~ /^(xm[id]|.*_rt)$/ {
			$0 = $1 " ? " $3 " " $4
	     }
	     { print }' theirs ours >ours.known
	lines=$(wc -l <theirs)
	if [ "$lines" -lt "$(wc -l <ours.known)" ] && grep -q \
	   'exit status 139\|xfs_do_recovery_pass, error' theirs.err; then
		head -n "$lines" ours.known >part
		mv part ours.known
		count stopped
	fi
	diff -u theirs ours.known >difference ||
		fail "$name: items: $(head -n 12 difference)"
	count items "$(grep -c '^item' theirs || true)"
}

compare() {
	local log=()

	ln -s "$(unpacked "$image")" "$name.img"
	[ "$logdev" = - ] || log=(-l "$(unpacked "$logdev")")
	: >theirs.err
	compare_records
	: >theirs.err
	compare_items
	count images
}

each_image compare || fail 'not as xfs_logprint says'
echo "$(counted images) images: $(counted records) records," \
	"$(counted operations) operations; started again $(counted continued)" \
	"times, without the operations of $(counted left_out) records"
echo "-t: $(counted items) items; in part $(counted stopped) images," \
	"not at all $(counted without_items)"
