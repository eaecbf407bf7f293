# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One form for the two kinds of manifest (see tests/images/README.md); the
# columns of the result are described at images_table in story.sh.
function exists(file,	line) {
	if ((getline line < file) < 0)
		return 0
	close(file)
	return 1
}

function device(file) {
	return exists(file) ? file : "-"
}

# "A=1 B=2" in the order of the names, for an array of counts
function joined(count,	n, i, j, t, name, out) {
	n = 0
	for (t in count)
		name[++n] = t
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && name[j - 1] > name[j]; j--) {
			t = name[j]
			name[j] = name[j - 1]
			name[j - 1] = t
		}
	out = "-"
	for (i = 1; i <= n; i++)
		out = (i == 1 ? "" : out " ") name[i] "=" count[name[i]]
	return out
}

function after(text, key,	m) {
	if (!match(text, "(^| )" key "=[^ ]*"))
		return "-"
	m = substr(text, RSTART, RLENGTH)
	sub(/^ ?[^=]*=/, "", m)
	return m
}

function lsn(text) {
	sub(/,/, ":", text)
	return text
}

NR == 1 {
	for (i = 1; i <= NF; i++)
		col[$i] = i
	next
}

{
	name = $col["name"]
	image = dir "/" name ".img.zst"
	delete count
}

# The word that a refusal must have: of the record spoilt by hand ("tear" in
# the column stop), or of inodes that change the owner of their blocks.
function refusal(outcome, stop, items,	record) {
	if (outcome !~ /^refused/)
		return "-"
	if (match(stop, /"record": "[0-9,]*"/))
		record = lsn(substr(stop, RSTART + 11, RLENGTH - 12))
	if (stop ~ /"tear": "(mid-flip|mid-zero|mid-magic|tail-flip)"/)
		return "damaged record at " record ","
	if (stop ~ /"tear": "uuid"/)
		return "(UUID)"
	if (stop ~ /"tear": "fmt"/)
		return "byte order"
	if (after(items, "owner_changes") > 0)
		return "another owner"
	return "?"
}

"scan" in col {
	text = $col["scan_items"]
	sub(/ *\|.*/, "", text)
	n = split(text, word, " ")
	for (i = 1; i <= n; i++)
		if (split(word[i], pair, "=") == 2)
			count[pair[1]] = pair[2]
	scan = $col["scan"]
	state = after(scan, "state")
	head = lsn(after(scan, "head"))
	tail = state == "clean" ? head : lsn(after(scan, "tail"))
	outcome = $col["kernel_outcome"]
	print name, image, device(dir "/" name ".img.logdev.zst"), "-", state,
		tail, head, $col["records"], after(scan, "checkpoints"),
		joined(count), outcome, $col["stop"] ~ /"tear": "fmt"/ ? "be" : "le",
		"-", lsn(after(scan, "tail")), head,
		$col["log_size_bb"], lsn($col["kernel_head_lsn"]),
		refusal(outcome, $col["stop"], $col["scan_items"])
}

"fmt" in col {
	text = $col["items"]
	gsub(/[{}" ]/, "", text)
	n = split(text, word, ",")
	for (i = 1; i <= n; i++)
		if (split(word[i], pair, ":") == 2)
			count[pair[1]] = pair[2]
	tail = $col["tail"]
	head = $col["head"]
	order = $col["fmt"] ~ /^BE/ ? "be" : "le"
	print name, image, device(dir "/" name ".log.img.zst"),
		device(dir "/" name ".rt.img.zst"),
		tail == head ? "clean" : "dirty", tail, head, $col["records"],
		$col["checkpoints"], joined(count), "ok",
		order, $col["uncommitted"], tail, head, $col["log_bytes"] / 512, "-",
		order == "be" ? "byte order" : "-"
}
