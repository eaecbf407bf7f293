#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --check: one line and the exit status, for each image.
. "$ROOT/tests/lib/story.sh"
[ "$(printf '\1\0' | od -An -tu2)" -eq 1 ] ||
	skip 'what is refused here is refused by little-endian kernels'

check() {	# <image> <option>...
	local image=$1 log=() rc=0

	shift
	[ ! -f "${image%.zst}.logdev.zst" ] ||
		log=(-l "$(unpacked "${image%.zst}.logdev.zst")")
	"$XLOG_PRINT" --check "${log[@]}" "$@" "$(unpacked "$image")" >out \
		2>err || rc=$?
	return $rc
}

for image in "$IMAGES"/linux618/*.img.zst; do
	rc=0
	check "$image" || rc=$?
	echo "$rc $(sed 's,^[^:]*/,,' out)"
	[ "$(wc -l <out)" = 1 ] || fail "$image: not one line"
done

# however much there is to replay, little of it is read
for image in log128m wrap256k def61-mixed mid-magic; do
	check "$IMAGES/linux618/$image.img.zst" --json || [ $? = 4 ]
	bytes=$(jq 'select(.type=="result").bytes_read' out)
	[ "$bytes" -le $((8 << 20)) ] || fail "$image: --check reads $bytes bytes"
done
