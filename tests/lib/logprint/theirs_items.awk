# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The transactions of xfs_logprint -t, a line for each and for each item:
#	trans TID REGIONS
#	item TYPE REGIONS BYTES KEY...
# TYPE is "?" where the tool does not know it; the keys of a buffer are its
# address, length and flags, of an inode its number, of a quota record its id,
# block and place there, of new inodes AG and block, of the others an id.
BEGIN {
	n = split("BUF buf INO inode DQ dquot QOFF quotaoff ICR icreate " \
		"EFI efi EFD efd RUI rui RUD rud CUI cui CUD cud BUI bui " \
		"BUD bud ATTRI attri ATTRD attrd XMI xmi XMD xmd " \
		"EFI_RT efi_rt EFD_RT efd_rt RUI_RT rui_rt RUD_RT rud_rt " \
		"CUI_RT cui_rt CUD_RT cud_rt", word, " ")
	for (i = 1; i < n; i += 2)
		type_of[word[i]] = word[i + 1]
	type_of[""] = "?"
	keys["buf"] = "start blkno,len,flags"
	keys["inode"] = "ino"
	keys["dquot"] = "id,blkno,boffset"
	keys["icreate"] = "#ag,agbno"
	keys["quotaoff"] = ""
}

# In decimal, and exactly: 64 bits are more than a number of awk holds.
function decimal(text,	n, d, i, j, v, carry, s) {
	if (text !~ /^0x/)
		return text
	n = 1
	d[1] = 0
	for (i = 3; i <= length(text); i++) {
		carry = index("0123456789abcdef", substr(text, i, 1)) - 1
		for (j = 1; j <= n; j++) {
			v = d[j] * 16 + carry
			d[j] = v % 10000000
			carry = int(v / 10000000)
		}
		if (carry)
			d[++n] = carry
	}
	s = d[n]
	for (i = n - 1; i; i--)
		s = s sprintf("%07d", d[i])
	return s
}

function value(key,	v) {
	if (!match($0, "[ \t]" key ": *[0-9a-fx]+"))
		return "?"
	v = substr($0, RSTART + length(key) + 2, RLENGTH - length(key) - 2)
	sub(/^ */, "", v)
	return decimal(v)
}

function end_of_item() {
	if (item != "")
		print item
	item = ""
}

/^TRANS: tid:0x/ {
	end_of_item()
	gsub(/:/, ": ")
	print "trans", decimal($3), $5
	next
}

/^[A-Z_ ]*: cnt:[0-9]+ total:[0-9]+ / {
	end_of_item()
	type = $0
	sub(/ *: cnt:.*/, "", type)
	type = type in type_of ? type_of[type] : type
	bytes = 0
	n = split($0, word, "len:")
	for (i = 2; i <= n; i++)
		bytes += word[i]
	item = "item " type " " value("cnt") " " bytes
	next
}

# The line after that one, in some types behind a tab.
item != "" && /^\t?[A-Z_]+: +#(regs|ag): *[0-9]/ {
	n = split(type in keys ? keys[type] : "id", key, ",")
	for (i = 1; i <= n; i++)
		item = item " " value(key[i])
	end_of_item()
}

END { end_of_item() }
