#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every file says its licence: sources in their first line, scripts and texts
# near the top or at the end. The licence itself, test data and expected output
# have none.
set -eu
. tests/lib/files.sh
bad=0
for file in $(files_of '*'); do
	case $file in
	LICENSE | tests/images/*/* | tests/images/*.tsv | *.stdout) continue ;;
	tests/fixtures/*.[ch] | tests/fixtures/*.sh | tests/fixtures/*.md) ;;
	tests/fixtures/*) continue ;;
	esac
	case $file in
	*.[ch])	line=$(sed -n 1p "$file") ;;
	*.md | NEWS | AUTHORS) line=$(cat "$file") ;;
	*)	line=$(sed -n 1,3p "$file") ;;
	esac
	case $line in
	*SPDX-License-Identifier:\ LGPL-2.1-or-later*) ;;
	*)	echo "$file: no SPDX line where it belongs"
		bad=1 ;;
	esac
done
exit $bad
