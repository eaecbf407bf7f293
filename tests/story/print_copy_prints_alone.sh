#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -C copies the log with holes, and its superblock beside it; the copy is
# printed as the image is, compressed or not. Without the superblock only what
# the records say is known.
. "$ROOT/tests/lib/story.sh"
need_command jq zstd

for name in rmap-intents sect4k never; do
	image=$(unpacked "$IMAGES/linux618/$name.img.zst")
	rm -f log*
	expect_exit 0 "$XLOG_PRINT" -C log "$image"
	[ "$(wc -l <out)" = 1 ] || fail "$name: not one line about it"

	"$XLOG_PRINT" -J -S "$image" >super
	read -r daddr bbs < <(jq -r 'select(.type=="log") |
		"\(.daddr) \(.bbs)"' super)
	cmp log <(tail -c +$((daddr * 512 + 1)) "$image" | head -c $((bbs * 512))) ||
		fail "$name: the copy is not the log"
	[ "$(($(stat -c '%b * %B' log)))" -le $((bbs * 512 + 65536)) ]
	jq -e --arg device "$image" '.type == "xlog-copy" and .version == 1 and
		.device == $device and (.superblock | length) >= 1024' \
		log.xlog.json >/dev/null || fail "$name: sidecar"

	for view in '' -t '-t -a' -z -S --explain -d; do
		# shellcheck disable=SC2086
		"$XLOG_PRINT" $view "$image" >want 2>/dev/null
		# shellcheck disable=SC2086
		"$XLOG_PRINT" $view log >got 2>/dev/null
		cmp want got || fail "$name: $view of the copy differs"
	done
	zstd -q log -o log.zst
	rm log
	"$XLOG_PRINT" -t "$image" >want
	"$XLOG_PRINT" -t log.zst >got
	cmp want got || fail "$name: the compressed copy differs"

	# alone: head and tail all the same
	zstd -dq log.zst -o alone
	rc=0
	"$XLOG_PRINT" --check alone >got 2>err || rc=$?
	"$XLOG_PRINT" --check "$image" >want || true
	cmp <(sed 's/^[^:]*: //' got) <(sed 's/^[^:]*: //' want) || {
		cat err >&2
		fail "$name: the log alone is read otherwise"
	}
	rm alone
done

# most of a log that was hardly used is a hole
expect_exit 0 "$XLOG_PRINT" -C sparse "$IMAGES/linux618/never.img.zst"
[ "$(stat -c %b sparse)" -le 64 ] || fail "$(stat -c %b sparse) blocks for one record"

# a sidecar that is damaged is not passed over
echo '{"type":"xlog-copy","version":1,"superblock":"58"}' >sparse.xlog.json
expect_exit 4 "$XLOG_PRINT" -t sparse
grep -q 'sparse.xlog.json: ' err
echo '[]' >sparse.xlog.json
expect_exit 4 "$XLOG_PRINT" -t sparse
head -c 2000000 /dev/zero >sparse.xlog.json
expect_exit 4 "$XLOG_PRINT" -t sparse

# an external log is copied like any other
expect_exit 0 "$XLOG_PRINT" -C ext -l "$IMAGES/linux618/extlog.img.logdev.zst" \
	"$IMAGES/linux618/extlog.img.zst"
"$XLOG_PRINT" -t ext >got
"$XLOG_PRINT" -t -l "$IMAGES/linux618/extlog.img.logdev.zst" \
	"$IMAGES/linux618/extlog.img.zst" >want
cmp got want
