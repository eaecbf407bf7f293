#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Records that lie in one field, with a right checksum: lengths, sizes, numbers
# of operations and regions, places, flags; in the newest record, where it looks
# like a torn write, and further back, where it is damage. A lie that Linux
# would stop at, or lose changes by, is found: exit status 4 and the reason.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/bad.sh"
need_command jq zstd

# Lines of "record" and "op" objects of the part that a mount replays, which lies
# in one piece in these images; where the log is.
look_at() {	# <image>
	image=$(unpacked "$IMAGES/linux618/$1.img.zst")
	"$XLOG_PRINT" -J -n "$image" >whole.json 2>/dev/null || [ $? = 4 ]
	read -r start bb tail head < <(jq -r '
		select(.type == "log") | "\(.daddr) \(.bbs) \(.tail | split(":")[1])
		\(.head | split(":")[1])" | gsub("\\s+"; " ")' whole.json)
	[ "$tail" -lt "$head" ]
	jq -c --argjson tail "$tail" --argjson head "$head" \
		'select(.type == "record" or .type == "op") |
		.block = (.record // .lsn | split(":")[1] | tonumber) |
		select(.block >= $tail and .block < $head)' whole.json >live.json
	jq -r 'select(.type == "record") | "\(.block) \(.len) \(.ops)"' \
		live.json | sort -n >records
	newest=$(tail -n 1 records)
	# 8 records may be under way at once: this one is none of those
	middle=$(tail -n 15 records | head -n 1)
}

# Lines of: image, where its log is, allowed statuses of -t, block, change. "4"
# is what must be found; "0 4" what a mount takes as it stands, or for the end
# of the log.
lies() {	# <allowed statuses> <block> <field> <value>...
	local allowed=$1 block=$2 field=$3 value

	shift 3
	for value; do
		printf '%s\t%s\t%s\t%s\t%s\t%s=%s\n' "$image" "$start" \
			"$bb" "$allowed" "$block" "$field" "$value"
	done
}

header_lies() {	# <statuses where a torn write is none> <block> <len> <ops>
	local found=$1 block=$2 len=$3 ops=$4

	lies "$found" "$block" h_len 0 1 511 513 $((len - 512)) $((len + 512)) \
		32769 262144 262145 0x7fffffff 0xffffffff
	lies "$found" "$block" h_size 0 1 512 65536 131072 262145 0x7fffffff \
		0xffffffff
	lies "$found" "$block" h_version 0 4 0x80000000
	lies "$found" "$block" h_num_logops 0 1
	lies '0 4' "$block" h_num_logops $((ops - 1)) $((ops + 1)) 0x7fffffff \
		0xffffffff
	lies '0 4' "$block" h_version 1 3
	lies 4 "$block" h_fmt 0 2 3 99
	lies 4 "$block" h_lsn 0 0xffffffff 0xffffffffffffffff $((1 << 32))
	lies '0 4' "$block" h_cycle 0 2 0xffffffff
	lies '0 4' "$block" h_prev_block 0 0xffffffff
}

# What the newest record says of the tail is believed, if it can be.
tail_lies() {	# <block>
	lies 4 "$1" h_tail_lsn 0 $((1 << 32 | head)) $((1 << 32 | bb)) \
		$((2 << 32 | tail)) 0xffffffffffffffff $(((1 << 32) + tail + 1))
}

operation_lies() {	# <block> <offset> <length>
	local block=$1 at=$2 len=$3

	lies 4 "$block" "$at.oh_len" 0 1 $((len - 1)) $((len + 1)) \
		$((len + 4)) 32256 0x7fffffff 0xfffffff4 0xffffffff
	lies 4 "$block" "$at.oh_clientid" 0 1 0xff
	lies '0 4' "$block" "$at.oh_clientid" 0xaa
	lies 4 "$block" "$at.oh_flags" 1 2 8 32 0x40 0xff
	lies '0 4' "$block" "$at.oh_flags" 4 16
	lies 4 "$block" "$at.oh_tid" 0 0xffffffff
}

transaction_lies() {	# <block> <offset of the header of its second operation>
	local at=$(($2 + 12))

	lies 4 "$1" "$at.le32" 0 1			# th_magic
	lies '0 4' "$1" "$((at + 4)).le32" 0 99		# th_type
	lies '0 4' "$1" "$((at + 8)).le32" 0 99		# th_tid
	lies 4 "$1" "$((at + 12)).le32" 0 1 2 0x7fffffff 0xffffffff
}

item_lies() {	# <block> <offset of the operation> <type> <its regions>
	local block=$1 at=$(($2 + 12)) regions=$4

	lies 4 "$block" "$at.le16" 0 0x1235 0x1250 0xffff
	lies 4 "$block" "$((at + 2)).le16" 0 $((regions + 2)) 100 256 65535
	lies '0 4' "$block" "$((at + 2)).le16" 1 $((regions + 1))
	[ "$3" != buf ] || {
		lies 4 "$block" "$((at + 6)).le16" 0 0xffff	# blf_len
		lies 4 "$block" "$((at + 16)).le32" 0 18 0xffffffff
		lies 4 "$block" "$((at + 20)).le32" 0
		lies '0 4' "$block" "$((at + 8)).le64" 0xffffffffffffffff
	}
	case $3 in
	efi | efd | rui | cui | bui)
		lies 4 "$block" "$((at + 4)).le32" 0 1000 0xffffffff ;;
	esac
	[ "$3" != inode ] || {
		lies '0 4' "$block" "$((at + 4)).le32" 0 0xff 0xffffffff
		lies '0 4' "$block" "$((at + 8)).le16" 0 1 0xffff
		lies '0 4' "$block" "$((at + 10)).le16" 0 1 0xffff
		lies '0 4' "$block" "$((at + 16)).le64" 0xffffffffffffffff
	}
}

# Items of many types: the last of each but the very last records.
last_of_each_item() {
	local place

	jq -r --argjson to "${middle%% *}" 'select(.role == "region" and
		.region == 0 and .len >= 16 and .block < $to) |
		"\(.block) \(.offset) \(.item) \(.regions)"' live.json |
		awk '{ last[$3] = $0 } END { for (i in last) print last[i] }' |
		while read -r place; do
			# shellcheck disable=SC2086 # words
			item_lies $place
		done
}

# shellcheck disable=SC2086,SC2046 # words
{
	look_at isize1024
	header_lies '0 4' $newest
	tail_lies ${newest%% *}
	header_lies 4 $middle
	for block in ${newest%% *} ${middle%% *}; do
		# whole operations near the start, in the middle, near the end
		jq -r --argjson block $block 'select(.type == "op" and
			.block == $block and .role == "region") |
			"\(.offset) \(.len)"' live.json >regions
		for n in 2 $(($(wc -l <regions) / 2)) $(($(wc -l <regions) - 2)); do
			operation_lies $block $(sed -n ${n}p regions)
		done
	done
	jq -r 'select(.role == "header") | "\(.block) \(.offset)"' live.json |
		while read -r block at; do transaction_lies $block $at; done
	last_of_each_item

	# records with several headers
	look_at logbsize256k
	header_lies '0 4' $newest
	header_lies 4 $middle

	look_at exchange
	last_of_each_item
} >cases

worker() {	# <number> of $jobs
	local n=0 image start bb allowed block change view statuses unpacked=

	mkdir "w$1"
	cd "w$1"
	while IFS=$'\t' read -r image start bb allowed block change; do
		n=$((n + 1))
		[ $((n % jobs)) = "$1" ] || continue
		[ "$unpacked" = "$image" ] || cp --sparse=always "$image" log.img
		unpacked=$image
		dd if=log.img of=saved bs=512 skip=$((start + block)) count=600 \
			status=none
		"$SPOIL" record log.img "$start" "$block" "$change"
		while read -r view; do
			statuses='0 4'
			[ "${view%% *}" != -t ] || statuses=$allowed
			# shellcheck disable=SC2086 # words
			run_on "record $block, $change" "$statuses" log.img $view
		done < <(views $((n / jobs)) -t '-t -a -o' '-J -a -n' \
			--check=full -z --explain)
		[ $((n % 21)) != 0 ] ||
			reads_only_log "record $block, $change" log.img \
				"$start" "$bb" -t -a
		dd if=saved of=log.img bs=512 seek=$((start + block)) \
			conv=notrunc status=none
	done <../cases
	: >passed
}

jobs=${JOBS:-2}
for ((i = 0; i < jobs; i++)); do
	worker "$i" &
done
wait
for ((i = 0; i < jobs; i++)); do
	[ -e "w$i/passed" ] || fail 'see above'
done
echo "$(wc -l <cases) lies, ${TRACE:+reads watched, }none of them a crash"
