# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The record view of xfs_logprint -n, a line for each record and operation:
#	BLOCK record LSN TAIL LENGTH OPS PREV CYCLE VERSION FMT SIZE
#	BLOCK op TID LENGTH CLIENT FLAGS
# FLAGS are the bits that both tools have a name for. What it shows twice,
# having been started at several places, is taken once.
BEGIN {
	bit["START"] = 1
	bit["COMMIT"] = 2
	bit["CONTINUE"] = 4
	bit["WAS_CONT"] = 8
	bit["END"] = 16
	bit["UNMOUNT"] = 32
	size = "-"
}

function end_of_header() {
	if (!in_header)
		return
	in_header = 0
	shown = seen[block]++
	if (!shown)
		print block, "record", lsn, tail, len, ops, prev, cycle,
			version, fmt, size
	size = "-"
}

/^0x/ { next }		# the bulk: the bytes of the operations

/^Oper \([0-9]+\): tid: / {
	end_of_header()
	if (shown)
		next
	flags = 0
	for (i = 10; i <= NF; i++)
		flags += bit[$i]
	print block, "op", substr("0000000", length($4)) $4,
		$6 < 0 ? sprintf("%.0f", $6 + 2 ^ 32) : $6, $8, flags
	next
}

/^cycle: [0-9]/ {
	end_of_header()
	in_header = 1
	cycle = $2
	version = $4
	lsn = $6
	tail = $8
	sub(/,/, ":", lsn)
	sub(/,/, ":", tail)
	block = lsn
	sub(/.*:/, "", block)
	next
}
/^length of Log Record: / { len = $5; prev = $8; ops = $11; next }
/^uuid: / { fmt = /little endian/ ? 1 : /big endian/ ? 2 : "?"; next }
/^h_size: / { size = $2 }

END { end_of_header() }
