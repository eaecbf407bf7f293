#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libxfsfmt is functions over memory: it may call nothing but itself, a few
# functions of string.h and the checksum of ISA-L, and keeps no state.
set -eu
lib=${BUILD:-build/release}/libxfsfmt.a
bad=0

own=$(nm --quiet --defined-only "$lib" | awk 'NF == 3 {print $3}' | sort -u)
outside=$(nm -u --quiet "$lib" | awk 'NF == 2 {print $2}' | sort -u |
	grep -vxE 'mem(cpy|set|cmp|move|chr)|str(len|ncmp|nlen|cmp)|__stack_chk_fail|__(mem|str)[a-z]+_chk|_GLOBAL_OFFSET_TABLE_|crc32_iscsi' |
	grep -vxF "$own" || true)
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
