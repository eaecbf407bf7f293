#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# total.sh RESULTS...: add up what the runners wrote, one line for people.
cat /dev/null "$@" 2>/dev/null | awk '
	{ p += $2; f += $3; s += $4 }
	END { printf "%d passed, %d failed", p, f
	      if (s) printf ", %d skipped", s
	      print "" }'
