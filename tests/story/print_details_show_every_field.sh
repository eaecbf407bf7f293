#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -a shows all fields of what was logged, of every type of item; -b, -i and -q
# only of some, and of blocks only their heads.
. "$ROOT/tests/lib/story.sh"

show() {	# LINES OPTION... IMAGE: so many lines behind the first two
	local lines=$1

	shift
	echo "\$ xlog-print $*"
	"$XLOG_PRINT" "${@:1:$#-1}" "$(unpacked "$IMAGES/${!#}")" >out
	sed -n "3,$((lines + 2))p" out
	echo
}

show 20 -t -a --type=efi,efd,rui,rud linux618/rmap-intents.img.zst
show 20 -t -a --type=cui,cud,bui,bud linux618/cow-cui-bui.img.zst
show 20 -t -a --type=attri,attrd linux618/parent-attri.img.zst
show 20 -t -a --type=xmi,xmd other/n72-xmi-s1.img.zst
show 20 -t -a --type=efi_rt,rui_rt,cui_rt,efd_rt other/n72-rtg-flight-s1.img.zst
show 10 -t -a --type=icreate linux618/sparse.img.zst
show 10 -t -q --type=dquot,quotaoff other/o510-v4-quotaoff2.img.zst
# time stamps: bigtime; two words; big-endian
show 8 -t -i --type=inode linux618/chmod-only.img.zst
show 8 -t -i --type=inode other/v4-swapext-bigdir.img.zst
show 8 -t -i --type=inode other/be612-v5-256k.img.zst
show 2 -t -i --epoch --type=inode other/be612-v5-256k.img.zst
# forks: extents, local directory, local attributes
show 40 -t -i --type=inode linux618/def61-flush.img.zst
# blocks: their heads, or all of them
show 40 -t -b --type=buf linux618/rmap-intents.img.zst
show 40 -t -a --type=buf linux618/dir8k.img.zst
# raw
show 8 -t -D --type=efi linux618/rmap-intents.img.zst
show 8 -t -D --hex-order=be --type=efi linux618/rmap-intents.img.zst
show 8 -t -D --hex-order=le --type=efi linux618/rmap-intents.img.zst
show 8 -t -n --type=efi,buf linux618/rmap-intents.img.zst
show 8 -t -o --type=buf --block=0x20001 linux618/rmap-intents.img.zst
