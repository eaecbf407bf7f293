#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# can_m32.sh CC: does this compiler make 32-bit programs, and do they start?
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' |
	"$1" -m32 -x c - -o "$out" 2>/dev/null && "$out" >/dev/null 2>&1
