#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libxfsfmt is functions over memory: it may call nothing but itself, a few
# functions of string.h and the checksum of ISA-L, and keeps no state.
set -eu
lib=${BUILD:-build/release}/libxfsfmt.a
bad=0

outside=$(nm -u --quiet "$lib" | awk 'NF == 2 {print $2}' | sort -u |
	grep -vxE 'mem(cpy|set|cmp|move|chr)|str(len|ncmp|nlen|cmp)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|crc32_iscsi|(xfs|xlog)_[a-z0-9_]+' || true)
defined=$(nm --quiet --defined-only "$lib" | awk 'NF == 3 {print $3}' | sort -u)
# its own names must be its own
for name in $(nm -u --quiet "$lib" | awk 'NF == 2 {print $2}' | grep -E '^(xfs|xlog)_' | sort -u); do
	printf '%s\n' "$defined" | grep -qxF "$name" || outside="$outside $name"
done
[ -z "$outside" ] || {
	printf 'libxfsfmt must not call: %s\n' "$(echo "$outside" | xargs)" >&2
	bad=1
}
state=$(nm --quiet "$lib" | awk '$2 ~ /^[bBdDC]$/ && $3 !~ /\.local/ {print $3}' | sort -u)
# Tables of pointers are data only until they are linked (.data.rel.ro).
state=$(for s in $state; do
	objdump -t "$lib" 2>/dev/null | awk -v s="$s" \
		'$NF == s && !/\.data\.rel\.ro|\*UND\*/ {print s; exit}'
done)
[ -z "$state" ] || {
	printf 'libxfsfmt must keep no state: %s\n' "$(echo "$state" | xargs)" >&2
	bad=1
}
exit $bad
