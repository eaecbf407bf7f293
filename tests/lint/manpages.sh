#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Manual pages: clean to mandoc and to groff, headings in the one order.
set -eu
. tests/lib/files.sh
want='NAME SYNOPSIS DESCRIPTION OPTIONS OUTPUT EXIT_STATUS ENVIRONMENT FILES DIAGNOSTICS EXAMPLES NOTES BUGS SEE_ALSO'
bad=0
pages=$(files_of 'man/*.[1-9]')
for page in $pages; do
	mandoc -T lint -W warning "$page" || bad=1
	# groff: any warning is one line on stderr
	warned=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 \
		man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
	[ -z "$warned" ] || { echo "$page: $warned"; bad=1; }
	case $page in
	*.8)
		got=$(sed -nE 's/^\.SH +"?([A-Z ]+)"?$/\1/p' "$page" |
		      tr ' ' _ | xargs)
		[ "$got" = "$want" ] || {
			printf '%s: headings are\n  %s\nand not\n  %s\n' \
				"$page" "$got" "$want"
			bad=1
		} ;;
	esac
done
exit $bad
