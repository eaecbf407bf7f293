#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Logs of real kernels: head, tail, state, and what lies between them are as an
# independent reader found them, and what the kernel refused to recover is
# refused for the same reason. Each image is read as it is, compressed, and then
# unpacked; only unpacked under the address sanitizer, which sees nothing of zstd.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
need_command jq zstd

host=$(printf '\1\0' | od -An -tu2 | awk '{ print $1 == 1 ? "le" : "be" }')
[ "$host" = le ] || skip 'the images were judged by little-endian kernels'

# Exit status of a view: 4 where something is wrong with the log itself.
view() {	# <file> <option>...
	local to=$1 rc=0

	shift
	"$XLOG_PRINT" -J "${log[@]}" "$@" "$file" >"$to" 2>err || rc=$?
	if [ $rc != 0 ] && [ $rc != 4 ] || ! tail -n 1 "$to" |
	   grep -q "^{\"type\":\"result\",.*\"exit\":$rc}\$"; then
		cat err >&2
		fail "$name: xlog-print $* exits with $rc"
	fi
}

# A reason that has the words it must have is reduced to them.
table_says() {
	jq -rs --arg refusal "$refusal" \
		--argjson records "$(tail -n 1 ends.json | jq .records)" '
		(map(select(.type == "log"))[0]) as $log | .[-1] as $result |
		"state \($log.state)", "head \($log.head)", "tail \($log.tail)",
		"order \($log.order)", "log_bb \($log.bbs)",
		"records \($records)", "checkpoints \($result.checkpoints)",
		"items \(map(select(.type == "stat") |
			"\(.item | ascii_upcase)=\(.n)") | sort | join(" ") |
			if . == "" then "-" else . end)",
		"refusal \($log.refused // "-" |
			if contains($refusal) then $refusal else . end)"' table.json
}

# "item" and "checkpoint" objects have one line each and fixed keys.
list_says() {
	awk -F '"' -v unknown="$uncommitted" '
	function lsn(text,	part) {
		split(text, part, ":")
		return part[1] * 2 ^ 32 + part[2]
	}
	/^{"type":"checkpoint",.*"committed":true/ {
		n++
		if (lsn($12) < last)
			print "not in the order of their ends: " $12
		last = lsn($12)
	}
	/^{"type":"checkpoint",.*"committed":false/ { open++ }
	/^{"type":"item",/ {
		match($0, /"item":"[^"]*"/)
		items[toupper(substr($0, RSTART + 8, RLENGTH - 9))]++
	}
	END {
		print "listed checkpoints " n + 0
		print "uncommitted " (unknown == "-" ? "-" : open + 0)
		for (i in items)
			print "listed items " i "=" items[i] | "sort"
	}' list.json
}

manifest_says() {
	local item

	echo "state $state"
	echo "head $head"
	echo "tail $tail"
	echo "order $order"
	echo "log_bb $log_bb"
	echo "records $records"
	echo "checkpoints $checkpoints"
	echo "items $items"
	echo "refusal $refusal"
	echo "listed checkpoints $checkpoints"
	echo "uncommitted $uncommitted"
	for item in $items; do
		[ "$item" = - ] || echo "listed items $item"
	done
}

use_unpacked() {
	file=$(unpacked "$image")
	[ "$logdev" = - ] || log=(-l "$(unpacked "$logdev")")
}

compare() {
	local file=$image log=() range=()

	[ "$logdev" = - ] || log=(-l "$logdev")
	# A log that ends cleanly has its last checkpoint before the tail.
	[ "$from" = "$tail" ] || range+=("--from=$from")
	# The writer of the manifest stops at the header that was spoilt, as if
	# the log ended there. The kernel finds the end behind it, where it was
	# before the damage, and then stumbles over that header.
	if [ "$head" != "$written_head" ] &&
	   [ "$refusal" = "damaged record at $head," ]; then
		head=$written_head
		range+=("--from=$from" "--to=$to")
	fi

	if has_asan "$XLOG_PRINT"; then
		use_unpacked
		# what that shows is looked at by operations_match_xfs_logprint.sh
		view records.json -n
	fi
	view table.json -z "${range[@]}"
	use_unpacked
	# a table reads on, to where the last checkpoint of the range ends
	cp table.json ends.json
	[ ${#range[@]} -lt 2 ] || view ends.json -n "${range[@]}"
	view list.json -t -n "${range[@]}"
	manifest_says >manifest
	{ table_says; list_says; } | diff -u manifest - || fail "$name differs"

	[ "$refusal" = - ] || count refused
	count images
	count records "$records"
	count checkpoints "$checkpoints"
	count items "$(grep -c '^{"type":"item",' list.json || true)"
}

each_image compare || fail 'not as the manifests say'
echo "$(counted images) images ($(counted refused) that a kernel refuses):" \
	"$(counted records) records, $(counted checkpoints) checkpoints," \
	"$(counted items) items"
