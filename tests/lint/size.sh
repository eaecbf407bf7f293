#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A file has one job: 600 lines of C are enough for it.
set -eu
. tests/lib/files.sh
bad=0
for file in $(files_of '*.[ch]'); do
	lines=$(wc -l <"$file")
	[ "$lines" -lt 600 ] || { echo "$file has $lines lines"; bad=1; }
done
exit $bad
