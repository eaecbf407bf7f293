#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Delayed logging changes no format: every kind of record, operation and item in
# the logs of xlog-bench is one that Linux writes. What logs of Linux 6.18 have
# is a set of kinds; what each load leaves, with both policies and buffers of
# several sizes, at the end and after a power failure, is a part of it. A kind:
#
#	record		version, byte order, room of a header, with a checksum
#	operation	client, flags, what it is; of a region also whose it is, which
#			of how many, and its length if it is whole and not data. Of
#			one that a record's end divides, whichever that is: the flags
#	checkpoint	type of the transaction
#	inode		regions, fields, length of the forks, version of the core
#	buffer		regions, what is in it, its flags, its size and that of the map,
#			which bytes of it
#
# xfs_logprint reads all of them.
. "$ROOT/tests/lib/story.sh"
need_command jq mkfs.xfs xfs_logprint

kinds() {	# <image>: what its log has, all of it
	{ "$XLOG_PRINT" -J "$1"; "$XLOG_PRINT" -t -J "$1"; } >print || [ $? = 4 ]
	jq -c '
	if .type == "record" then
		[.type, .version, .fmt, .hsize, .crc]
	elif .type == "op" then
		if .flags - ["continue", "was-continued", "end"] != .flags then
			[.type, .client, .flags]
		else
			[.type, .client, .flags, .role, .item, .region, .regions,
			 if .role != "region" or .region > 1 or
				(.region > 0 and .item != "inode")
			 then null else .len end]
		end
	elif .type == "checkpoint" then
		[.type, .trans_type, .committed]
	elif .item == "inode" then
		[.item, .nregions, .format.ilf_size, .fields, .format.ilf_asize,
		 .format.ilf_dsize, .core.version]
	elif .item == "buf" then
		[.item, .nregions, .format.blf_size, .flags, .format.blf_flags, .bbs,
		 .format.blf_map_size, .regions]
	elif .type == "item" then
		[.item]
	else empty end' print | sort -u
}

for image in chmod-only freeze logbsize16k logbsize256k unfinished; do
	kinds "$(unpacked "$IMAGES/linux618/$image.img.zst")"
done | sort -u >linux
[ "$(wc -l <linux)" -gt 100 ] || fail 'Linux has hardly anything'

{
	printf '/nothing\n0 0\nd--755 0 0\n'
	for ((i = 0; i < 2000; i++)); do
		echo "file$i ---644 0 0 /dev/null"
	done
	echo '$'
} >proto
truncate -s 300m empty
mkfs.xfs -q -p proto empty >told

try() {	# <option>...
	cp --sparse=always empty fs
	expect_exit 0 timeout 60 "$XLOG_BENCH" -q --scratch "$@" fs
	kinds fs >ours
	comm -13 linux ours >strange
	[ ! -s strange ] || fail "$*: Linux has none of these: $(cat strange)"
	cat ours >>all
	xfs_logprint -t -b -i fs >print 2>&1 || fail "$*: xfs_logprint: $(tail -n 3 print)"
	! grep -iwE 'error|bad|unknown|corrupt|unexpected|invalid' print >&2 ||
		fail "$*: xfs_logprint complains"
}

for policy in delaylog nodelaylog; do
	try -j1 -n 3000 -o $policy
	try -j2 -n 3000 -o $policy,logbsize=16k,logbufs=2 --fsync-every=7
	try -j2 -n 2000 -w relog -o $policy,logbsize=256k --fsync-every=50
	try -j1 -n 20 -w bigtx -o $policy
	try -j2 -n 100 -w fsync-probe -o $policy
	try -j2 -n 3000 -o $policy --crash-after=1000ops --fsync-every=20
	try -j1 -n 20 -w bigtx -o $policy --crash-after=15ops --crash=clean
done
sort -u all -o all
echo "$(wc -l <all) kinds, all of Linux, which has $(wc -l <linux):"
cat all
