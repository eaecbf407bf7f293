#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --explain in words; -S and -z in figures.
. "$ROOT/tests/lib/story.sh"
[ "$(printf '\1\0' | od -An -tu2)" -eq 1 ] ||
	skip 'what is refused here is refused by little-endian kernels'
cd "$IMAGES/linux618"

show() {
	echo "\$ xlog-print $*"
	"$XLOG_PRINT" "$@" 2>&1 || echo "exit status $?"
	echo
}

show --explain rmap-intents.img.zst
show --explain clean.img.zst
show --explain freeze.img.zst
show --explain torn-garbage.img.zst
show --explain tail-flip.img.zst
show --explain swapext.img.zst
show --explain ../other/be612-v5-256k.img.zst
show --explain ../other/v5-quota-efi-s1.img.zst
show -S rmap-intents.img.zst
show -S ../other/be612-v4-v1log-quota.img.zst
show -z rmap-intents.img.zst
show -zinode rmap-intents.img.zst | sed -n 1,6p
show --stats=ag rmap-intents.img.zst
show -zrecord rmap-intents.img.zst
