#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --explain in words: what there is to do, who can, why it is refused. Nothing
# is written.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
[ "$(printf '\1\0' | od -An -tu2)" -eq 1 ] ||
	skip 'what is refused here is refused by little-endian kernels'

show() {
	local image rc=0

	image=$(unpack "$IMAGES/$1.img.zst")
	remember "$image"
	echo "\$ xlog-recover --explain $image"
	"$XLOG_RECOVER" --explain "$image" 2>&1 || rc=$?
	echo "exit status $rc"
	echo
	is_untouched "$image"
	rm "$image"
}

show linux618/chmod-only
show linux618/clean
show linux618/parent-attri
show linux618/tail-flip
show linux618/uuid
show linux618/swapext
show other/be612-v4-v1log-quota
