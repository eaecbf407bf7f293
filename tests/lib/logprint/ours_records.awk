# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The record view of xlog-print -J -n in the form of theirs_records.awk.
BEGIN {
	bit["\"start\""] = 1
	bit["\"commit\""] = 2
	bit["\"continue\""] = 4
	bit["\"was-continued\""] = 8
	bit["\"end\""] = 16
	bit["\"unmount\""] = 32
	client["transaction"] = "TRANS"
	client["log"] = "LOG"
}

function value(key,	v) {
	if (!match($0, "\"" key "\":[^,}]*"))
		return "?"
	v = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	gsub(/"/, "", v)
	return v
}

/^[{]"type":"op",/ {
	match($0, /"flags":\[[^]]*\]/)
	n = split(substr($0, RSTART + 9, RLENGTH - 10), flag, ",")
	flags = 0
	for (i = 1; i <= n; i++)
		flags += bit[flag[i]]
	who = value("client")
	print block, "op", sprintf("%08x", value("tid")), value("len"),
		who in client ? client[who] : "ERROR", flags
	next
}

/^[{]"type":"record",/ {
	block = value("block")
	prev = value("prev")
	print block, "record", value("lsn"), value("tail"), value("len"),
		value("ops"), prev == "null" ? -1 : prev, value("cycle"),
		value("version"), value("fmt"), value("hsize")
}
