#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-bench --reservations, with a load: the most that a transaction of any kind
# used is at most what it reserved, in every load, policy and size of log
# buffers, with and without a stripe unit; and it is not nothing.
. "$ROOT/tests/lib/story.sh"
need_command jq

fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
expect_exit 0 "$XLOG_RECOVER" "$fs"
loads=$("$XLOG_BENCH" -w list)

used() {	# <kind of transaction>
	jq "select(.type == \"reservation\" and .name == \"$1\") | .used // 0" out
}

try() {	# <option>...
	expect_exit 0 timeout 60 "$XLOG_BENCH" -J --reservations -n 1000 "$@"
	jq -se 'map(select(.type == "reservation") | select(.used != null)) |
		length > 1 and all(.used <= .unit)' out >/dev/null ||
		{ cat out >&2; fail "$*: more than was reserved"; }
}

for load in $loads; do
	for options in delaylog nodelaylog delaylog,logbsize=16k nodelaylog,logbsize=256k; do
		try -w "$load" -o $options -j3 --fsync-every=70 "$fs"
		[ "$(used tr_sb)" -gt 0 ] || fail "$load, $options: no unmount"
	done
	try -w "$load" --mem=400m -l size=16m,su=32k -j1
done
# the larger the transaction, the more of it is used
try -w bigtx,set=10 "$fs"
few=$(used tr_itruncate)
try -w bigtx "$fs"
many=$(used tr_itruncate)
[ "$few" -gt 2560 ] && [ "$many" -gt $((few * 10)) ] ||
	fail "10 inodes: $few bytes, as many as go: $many bytes"

# in words: a column more
expect_exit 0 "$XLOG_BENCH" -q --reservations -n 100 "$fs"
grep -qE '^tr_ichange +[0-9]+ +1 +[0-9]+ +no +[0-9]+$' out || { cat out >&2; fail 'no number'; }
grep -qE '^tr_rename +[0-9]+ +[0-9]+ +[0-9]+ +yes +-$' out || { cat out >&2; fail 'no line'; }
[ "$(wc -l <out)" = 28 ] || fail 'more than the table'
expect_exit 0 "$XLOG_BENCH" --reservations "$fs"
grep -qE '^tr_ichange +[0-9]+ +1 +[0-9]+ +no$' out || { cat out >&2; fail 'a number of nothing'; }
