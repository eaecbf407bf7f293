#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is changed again and again is logged once, with delaylog; nodelaylog
# writes each change. So says a table of the bytes of log that it takes to
# change 10,000 inodes of a filesystem with a log of 64 MiB, or 16 of them as
# often: over 1, 2, 5 and 20 passes, with a force never or after every 1000,
# 100 and 10 transactions. Every figure of it is what the sizes of headers,
# operations and inodes add up to. Over 20 passes without forces delaylog
# writes at least ten times less, in one pass about the same; in the end
# all changes are there.
. "$ROOT/tests/lib/story.sh"
need_command jq mkfs.xfs

inodes=10000
{
	printf '/nothing\n0 0\nd--755 0 0\n'
	for ((d = 0; d < 99; d++)); do
		echo "dir$d d--755 0 0"
		for ((i = 0; i < 100; i++)); do
			echo "file$i ---644 0 0 /dev/null"
		done
		echo '$'
	done
	echo '$'
} >proto
truncate -s 400m fs
mkfs.xfs -q -l size=64m -p proto fs >told

# Bytes, as they lie in the log. A transaction: an operation that starts it, its
# header, operations, one that commits it.
op=12
trans_header=16
inode=$((op + 56 + op + 176))		# format, core
around=$((op + op + trans_header + op))
sector=512
record=32768				# its header and operations
room=$((record - sector))

# The log of so many bytes of operations that are made durable at one time: full
# records, and one up to the next sector. Where a record ends in an operation, the
# rest of that has a header of its own; too little for that is left over.
records() {	# <bytes> <bytes that the end of each record takes>
	local full=$(($1 / (room - $2))) rest=$(($1 % (room - $2)))

	echo $((full * record +
		(rest ? (rest + sector - 1) / sector * sector + sector : 0)))
}

# The end of a run: the superblock twice, and the unmount record.
end=$((3 * (sector + sector)))

want() {	# <policy> <inodes of the load> <transactions> <force after> <end of a record>
	local n=$(($4 ? $4 : $3)) bytes

	if [ "$1" = delaylog ]; then
		bytes=$(((n < $2 ? n : $2) * inode + around))
	else
		bytes=$((n * (inode + around)))
	fi
	bytes=$(records $bytes "$5")
	echo $((end + bytes * ($3 / n)))
}

log_bytes() {	# <workload> <policy> <passes> <force after>
	local verify=()

	[ "$3" != 20 ] || verify=(--verify)
	expect_exit 0 timeout 100 "$XLOG_BENCH" -J -j1 -w "$1" -o "$2" \
		-n $((inodes * $3)) --fsync-every="$4" "${verify[@]}" fs
	jq -r "select(.type == \"result\") |
		select(.tx == $inodes * $3 and .mismatches == (if $3 == 20 then 0 else null end)) |
		\"\(.inodes) \(.log_bytes)\"" out
}

printf '%-8s %6s %11s %12s %12s %6s\n' \
	workload passes 'force after' delaylog nodelaylog ratio
for workload in setattr relog; do
	hot=$([ $workload = relog ] && echo 16 || echo $inodes)
	for passes in 1 2 5 20; do
		for every in 0 1000 100 10; do
			unset written
			declare -A written
			for policy in delaylog nodelaylog; do
				read -r n bytes <<<"$(log_bytes $workload $policy $passes $every)"
				[ "$n" = "$hot" ] ||
					fail "$workload of $n inodes: $(tail -n 1 out)"
				least=$(want $policy "$n" $((inodes * passes)) $every 0)
				most=$(want $policy "$n" $((inodes * passes)) $every $((2 * op)))
				[ "$bytes" -ge "$least" ] && [ "$bytes" -le "$most" ] ||
					fail "$workload, $policy, $passes passes, a force after $every: $bytes bytes and not $least to $most"
				written[$policy]=$bytes
			done
			a=${written[delaylog]} b=${written[nodelaylog]}
			printf '%-8s %6d %11d %12d %12d %3d.%02d\n' $workload \
				$passes $every "$a" "$b" $((b / a)) $((b * 100 / a % 100))
			case $workload,$passes,$every in
			*,20,0)	[ $((b / a)) -ge 10 ] || fail 'not ten times fewer' ;;
			setattr,1,* | *,10)
				[ "$b" -ge "$a" ] && [ $((b * 100)) -le $((a * 125)) ] ||
					fail 'not about the same' ;;
			esac
		done
	done
done
