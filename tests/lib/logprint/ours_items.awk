# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What committed, of xlog-print -J -t, in the form of theirs_items.awk.
function value(key,	v) {
	if (!match($0, "\"" key "\":[^,}]*"))
		return "?"
	v = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	gsub(/"/, "", v)
	return v
}

BEGIN {
	keys["buf"] = "daddr bbs blf_flags"
	keys["inode"] = "ino"
	keys["dquot"] = "qlf_id qlf_blkno qlf_boffset"
	keys["icreate"] = "icl_ag icl_agbno"
	keys["quotaoff"] = ""
}

/^[{]"type":"checkpoint",/ {
	committed = value("committed") == "true"
	if (committed)
		print "trans", value("tid"), value("regions")
	next
}

committed && /^[{]"type":"item",/ {
	$0 = substr($0, 1, 1000)	# the keys come before the contents
	type = value("item")
	line = "item " type " " value("nregions") " " value("bytes")
	n = split(type in keys ? keys[type] : "id", key, " ")
	for (i = 1; i <= n; i++)
		line = line " " value(key[i])
	print line
}
