# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What xfs_db printed, as lines of PLACE <tab> PATH <tab> VALUE. Places come
# from its echo command, "@PLACE". Its ways to write arrays are taken apart:
#
#	bno[0-2] = 0:null 1:6 2:7		bno[0] null, bno[1] 6, ...
#	recs[1-2] = [startblock,blockcount]	recs[1].startblock 151, ...
#	1:[151,1]
#	2:[222,1]
#	ptrs[1] = 8248				ptrs[1] 8248
#
# and what it adds in parentheses to explain a value is dropped, unless it says
# that a checksum is bad.
function out(path, value) {
	if (value ~ /^(0x)?[0-9a-f]+ \(/ && value !~ /\(bad\)/)
		sub(/ \(.*\)$/, "", value)
	print place "\t" path "\t" value
}

# the values of one element, without brackets
function element(index_, text,	n, i, v) {
	n = split(text, v, ",")
	for (i = 1; i <= n; i++)
		out(array "[" index_ "]." field[i], v[i])
	if (n != fields)
		out(array "[" index_ "]", "has " n " values, not " fields)
}

# the values of elements first to last; nulls of some arrays, or zeros, are left
# out
function list(text, first, last,	n, i, v, at, is) {
	n = split(text, v, " ")
	for (i = 1; i <= n; i++) {
		at = index(v[i], ":")
		is[substr(v[i], 1, at - 1)] = substr(v[i], at + 1)
	}
	for (i = first; i <= last; i++)
		out(array "[" i "]", i in is ? is[i] : "(left out)")
}

/^@/ {
	sub(/ +$/, "")
	place = substr($0, 2)
	next
}

/^[0-9]+:\[.*\] ?$/ {
	at = index($0, ":")
	text = substr($0, at + 2)
	sub(/\] ?$/, "", text)
	element(substr($0, 1, at - 1), text)
	next
}

match($0, /^[a-z][][A-Za-z0-9_.-]* = /) {
	path = substr($0, 1, RLENGTH - 3)
	value = substr($0, RLENGTH + 1)
	array = path
	many = sub(/\[[0-9]+-[0-9]+\]$/, "", array)
	if (value ~ /^\[[a-z][a-z_0-9,]*\] ?$/) {
		sub(/\[[0-9]+\]$/, "", array)
		gsub(/[][ ]/, "", value)
		fields = split(value, field, ",")
	} else if (many) {
		split(substr(path, length(array) + 2), range, /[-\]]/)
		list(value, range[1] + 0, range[2] + 0)
	} else if (value != "(empty)" && value != "") {
		out(path, value)
	}
	next
}

# neither a place, a value nor an element: let the comparison fail on it
$0 != "" { print place "\t?\t" $0 }
