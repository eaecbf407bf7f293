#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fields_match.sh IMAGE [LIMIT [REALTIME]]: compare every field that
# libxfsfmt's walks show of an XFS image with what xfs_db prints. LIMIT: places
# of a class that are compared, 0 for all of them. Prints what does not fit and
# the counts of compare.awk; exits 1 if something does not.
#
# BUILD		folder with the built fields_dump
# XFS_DB	xfs_db, or another one
# Leaves ours and theirs, and how they came about, in the current folder.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
db=${XFS_DB:-xfs_db}
export TZ=UTC LC_ALL=C

"$BUILD/tests/truth/fields_dump" "$1" "${2:-0}" ${3:+"$3"} >ours
awk -F '\t' '/^@/ {
	print "echo " $1
	gsub(/;/, "\n", $2)
	print $2 "\nprint"
}' ours >commands
"$db" -r ${3:+-R "$3"} "$1" <commands >theirs.raw 2>theirs.err
awk -f "$here/xfs_db.awk" theirs.raw | sed -E -f "$here/aliases.sed" >theirs
awk -v version="$("$db" -V | awk '{print $NF}')" -f "$here/compare.awk" \
	"$here/exceptions.tsv" ours theirs
