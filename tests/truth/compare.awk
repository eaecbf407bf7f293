# SPDX-License-Identifier: LGPL-2.1-or-later
#
# compare.awk EXCEPTIONS OURS THEIRS: fields_dump's lines against xfs_db's,
# both with the paths of libxfsfmt. Every line on one side must have its
# counterpart, with one of the spellings, on the other, but for what a row of
# EXCEPTIONS names: KIND <tab> VERSION <tab> REGEX <tab> SIBLING <tab> REASON,
# where the regex is matched with "PLACE PATH" and the kind is
#	ours	a field that xfs_db does not print
#	theirs	a line of xfs_db that is no field of its own
#	value	a field that both have, with values that cannot be compared
# Unless SIBLING is "-", our walk must have that field beside the other; unless
# VERSION is "-", the row is for xfs_db before that (-v version=6.1).
# Prints what does not fit, then "fields N exceptions N wrong N" and how often
# each row was used ("used N KIND REGEX").
BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 && !/^#/ && NF == 5 && ($2 == "-" || older(version, $2)) {
	rows++
	kind[rows] = $1
	regex[rows] = $3
	sibling[rows] = $4
}

function older(a, b,	x, y) {
	split(a, x, ".")
	split(b, y, ".")
	return x[1] + 0 < y[1] + 0 || (x[1] == y[1] && x[2] + 0 < y[2] + 0)
}

# The field of our walk that @paths names: one path, or several separated by
# bars, of which the first there is counts.
function field(place, paths,	n, i, p) {
	n = split(paths, p, "|")
	for (i = 1; i <= n; i++)
		if (place " " p[i] in ours)
			return place " " p[i]
	return place " " p[1]
}

function spelled(key, value) {
	return index("\t" ours[key] "\t", "\t" value "\t")
}

function has_sibling(what, name) {
	sub(/[^. ]*$/, name, what)
	return what in ours
}

# True if a row of this kind names it.
function excepted(k, what,	i) {
	for (i = 1; i <= rows; i++)
		if (kind[i] == k && what ~ regex[i] && (sibling[i] == "-" || \
		    has_sibling(what, sibling[i]))) {
			used[i]++
			exceptions++
			return 1
		}
	return 0
}

function complain(text) {
	wrong++
	if (wrong <= 40)
		print text
}

file == 2 && /^@/ {
	place = substr($1, 2)
	next
}

file == 2 {
	path = $1
	optional = sub(/^\?/, "", path)
	key = place " " path
	if (key in ours)
		complain(key ": twice in our walk")
	ours[key] = substr($0, length($1) + 2)
	if (!optional)
		must[key] = 1
	next
}

file == 3 {
	key = field($1, $2)
	if (!(key in ours)) {
		if (!excepted("theirs", key))
			complain(key ": not in our walk; xfs_db: " $3)
		next
	}
	delete must[key]
	if (spelled(key, $3) || ($3 == "(left out)" &&
	    (spelled(key, "null") || spelled(key, "0"))))
		same++
	else if (!excepted("value", key))
		complain(key ": " ours[key] "; xfs_db: " $3)
}

END {
	for (key in must)
		if (!excepted("ours", key))
			complain(key ": xfs_db has no such field; we: " ours[key])
	printf "fields %d exceptions %d wrong %d\n", same, exceptions, wrong
	for (i = 1; i <= rows; i++)
		print "used", used[i] + 0, kind[i], regex[i]
	exit wrong != 0
}
