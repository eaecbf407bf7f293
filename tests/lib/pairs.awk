# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Combinations of options in which every pair of values occurs that can: far
# fewer than all combinations, and where options get into each other's way it
# is nearly always two of them. Input:
#	NAME VALUE...
#	! NAME=VALUE NAME=VALUE...	these never together
# Output: a combination a line, NAME=VALUE for each name, -v least=N lines at
# least; the same for the same input. Those that come first have most pairs.
# The last line is "# N pairs".

# Not rand(): that is another one in every awk.
function random(n) {
	state = (state * 16807) % 2147483647
	return state % n
}

function pair(i, a, j, b) {
	return i < j ? i "," a "," j "," b : j "," b "," i "," a
}

function allowed(row, i, a,	j) {
	for (j = 1; j <= names; j++)
		if (j != i && row[j] && never[pair(i, a, j, row[j])])
			return 0
	return 1
}

# The rest of a row at random; 0: it came to a dead end.
function fill(row,	n, i, a, first, k) {
	first = random(names)
	for (n = 0; n < names; n++) {
		i = (first + n) % names + 1
		if (row[i])
			continue
		a = random(values[i])
		for (k = 0; k < values[i]; k++)
			if (allowed(row, i, (a + k) % values[i] + 1))
				break
		if (k == values[i])
			return 0
		row[i] = (a + k) % values[i] + 1
	}
	return !has_list(row)
}

# Are all of three values or more there that never are?
function has_list(row,	l, k, part) {
	for (l = 1; l <= lists; l++) {
		for (k = 1; k <= length_of[l]; k++) {
			split(member[l, k], part, ",")
			if (row[part[1]] != part[2])
				break
		}
		if (k > length_of[l])
			return 1
	}
	return 0
}

function gain(row,	i, j, n) {
	for (i = 1; i < names; i++)
		for (j = i + 1; j <= names; j++)
			n += !(pair(i, row[i], j, row[j]) in seen)
	return n
}

# The best of some rows that have the first pair that has not been seen.
function next_row(best,	key, part, row, try, g, most) {
	for (key = 1; key <= pairs && (list[key] in seen); key++)
		;
	if (key > pairs)
		return 0
	split(list[key], part, ",")
	most = 0
	for (try = 0; try < 60; try++) {
		for (i = 1; i <= names; i++)
			row[i] = 0
		row[part[1]] = part[2]
		row[part[3]] = part[4]
		if (!fill(row))
			continue
		g = gain(row)
		if (g <= most)
			continue
		most = g
		for (i = 1; i <= names; i++)
			best[i] = row[i]
	}
	if (!most) {
		print "pairs: no combination has " describe(part) > "/dev/stderr"
		exit failed = 1
	}
	return 1
}

function describe(part) {
	return name[part[1]] "=" value[part[1], part[2]] " and " \
		name[part[3]] "=" value[part[3], part[4]]
}

function code(text,	part) {
	split(text, part, "=")
	return number[part[1]] "," index_of[part[1], part[2]]
}

$1 == "!" && NF > 3 {
	length_of[++lists] = NF - 1
	for (i = 2; i <= NF; i++)
		member[lists, i - 1] = code($i)
	next
}

$1 == "!" {
	split(code($2), a, ",")
	split(code($3), b, ",")
	never[pair(a[1] + 0, a[2] + 0, b[1] + 0, b[2] + 0)] = 1
	next
}

NF {
	name[++names] = $1
	number[$1] = names
	values[names] = NF - 1
	for (i = 2; i <= NF; i++) {
		value[names, i - 1] = $i
		index_of[$1, $i] = i - 1
	}
}

END {
	if (failed)
		exit 1
	state = 1
	for (i = 1; i < names; i++)
		for (j = i + 1; j <= names; j++)
			for (a1 = 1; a1 <= values[i]; a1++)
				for (b1 = 1; b1 <= values[j]; b1++)
					if (!never[pair(i, a1, j, b1)])
						list[++pairs] = pair(i, a1, j, b1)
	for (;;) {
		if (!next_row(best)) {
			if (rows >= least)
				break
			split("", seen)		# once more, in another way
			again = 1
			continue
		}
		if (again && rows >= least)
			break
		line = ""
		for (i = 1; i <= names; i++) {
			line = line name[i] "=" value[i, best[i]] " "
			for (j = i + 1; j <= names; j++)
				seen[pair(i, best[i], j, best[j])] = 1
		}
		print line
		rows++
	}
	print "# " pairs " pairs"
}
