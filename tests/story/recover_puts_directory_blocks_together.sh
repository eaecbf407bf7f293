#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A directory whose blocks of 16 KiB lie in pieces all over the disk: Linux 6.18
# replays each piece as a block of its own and then refuses the mount. Here the
# pieces are put together, and every name is there.
. "$ROOT/tests/lib/story.sh"
need_command xfs_repair xfs_db zstd

unpack "$ROOT/tests/images/made/dir-in-pieces.img.zst" image >/dev/null
[ "$(xfs_db -r -c 'path /d' image 2>&1 | grep -c .)" = 1 ] ||
	fail 'the directory is there before its log is replayed'

expect_exit 0 "$XLOG_RECOVER" image
expect_exit 0 xfs_repair -n image
xfs_db -r -c 'path /d' -c ls image | awk 'NF >= 5 { print $(NF - 1) }' |
	grep '^name-' | sort >names
for ((i = 0; i < 3000; i++)); do
	printf 'name-%05d-%040d\n' $i 0
done | sed -E 's/-0{40}$/-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/' |
	sort >expected
cmp names expected || fail "$(wc -l <names) names of 3000"

# what was made by a run that was cut off is finished by the next
md5sum image >once
expect_exit 0 "$XLOG_RECOVER" image
md5sum --quiet -c once || fail 'the second run changed something'
