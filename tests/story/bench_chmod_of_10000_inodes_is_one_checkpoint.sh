#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# chmod -R over 10,000 inodes, as the design of delayed logging reckons it: two
# regions an inode, its log format and its core, each with 12 bytes in front of
# it, and all of them in one checkpoint. When that was written a core and its
# format were "roughly 150 bytes", and the whole "approximately 1.75MB"; a core
# has 176 bytes now. Headers of records are 512 bytes in 32 KiB, 16 KiB in a MiB.
. "$ROOT/tests/lib/story.sh"
need_command jq mkfs.xfs

inodes=10000
{
	printf '/nothing\n0 0\nd--755 0 0\n'
	for ((d = 0; d < 100; d++)); do
		echo "dir$d d--755 0 0"
		for ((i = 0; i < 99; i++)); do
			echo "file$i ---644 0 0 /dev/null"
		done
		echo '$'
	done
	echo '$'
} >proto
truncate -s 400m fs
mkfs.xfs -q -l size=64m -p proto fs >told

format=56
core=176
bytes=$((inodes * (format + core)))
in_log=$((bytes + 2 * inodes * 12))
[ $bytes = 2320000 ] && [ $in_log = 2560000 ]

# Power fails when all of it has been forced.
expect_exit 0 "$XLOG_BENCH" -J -j1 -n $inodes --fsync-every=$inodes --crash=clean \
	--crash-after=${inodes}ops --scratch fs
jq -e "select(.type == \"result\") | .checkpoints == 1 and
	.most_vectors == $inodes and .regions == 2 * $inodes and
	.most_bytes == $in_log and .formatted_bytes == $in_log and
	.relogged_bytes == 0 and .forced == $inodes" out >/dev/null || {
	tail -n 1 out >&2
	fail "not $inodes inodes in 2 regions each, $in_log bytes"
}
read -r records written < <(jq -r 'select(.type == "result") |
	"\(.log_records) \(.log_bytes)"' out)
# full ones, but for the last; around the items are their start, header and commit
room=$((32768 - 512))
least=$(((in_log + 12 + 12 + 16 + 12 + room - 1) / room))
[ "$records" = $least ] || fail "$records records and not $least"
[ "$written" -gt $((in_log + records * 512)) ] &&
	[ "$written" -lt $((in_log + records * (512 + 24) + 1024)) ] ||
	fail "$written bytes of log for $in_log"
# 512 bytes each: how much is that in a MiB of log?
in_mib=$((records * 512 * 1048576 / written))
[ $in_mib -ge 16384 ] && [ $in_mib -lt 16700 ] || fail "$in_mib bytes of headers in a MiB"
echo "$in_log bytes of $inodes inodes, $written bytes of log, $in_mib bytes of headers in a MiB"

# so says who reads it, too
expect_exit 0 "$XLOG_PRINT" -J -t -i fs
jq -se "map(select(.type == \"checkpoint\")) |
	length == 1 and .[0].items == $inodes" out >/dev/null || fail 'xlog-print: not one checkpoint'
jq -se "map(select(.type == \"item\")) | length == $inodes and
	all(.item == \"inode\" and .fields == [\"core\"]) and
	(map(.ino) | unique | length == $inodes)" out >/dev/null || fail 'xlog-print: other items'
