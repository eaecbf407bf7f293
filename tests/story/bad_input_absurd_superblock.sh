#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A superblock with a right checksum and an absurd value in one field, every
# field in turn: what the log depends on is refused in one line, with nothing
# on stdout; anything else changes nothing.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/bad.sh"
need_command jq zstd

# No value of these fields that is tried below can be true.
geometry='sb_blocksize sb_dblocks sb_agblocks sb_agcount sb_logblocks
	sb_versionnum sb_sectsize sb_inodesize sb_inopblock sb_blocklog
	sb_sectlog sb_inodelog sb_inopblog sb_agblklog'

values() {	# <bits>
	local top=$((1 << ($1 - 1)))

	case $1 in
	8)	echo 0 1 7 127 128 255 ;;
	64)	echo 0 1 0x7fffffffffffffff 0x8000000000000000 \
			0xffffffffffffffff ;;
	*)	echo 0 1 $((top - 1)) $top $((2 * top - 1)) ;;
	esac
}

# A value that one image is looked at with -t the other is with -S -J. Under the
# address sanitizer, where a process takes long, it is tried on one of them.
is_its_turn() {
	turn=$((turn + 1))
	[ -n "${CORRUPT_ALL:-}" ] || ! has_asan "$XLOG_PRINT" ||
		[ $(((turn + nth) % 2)) = 0 ]
}

looks() {
	if [ -n "${CORRUPT_ALL:-}" ]; then
		printf '%s\n' -t '-S -J'
	elif [ $(((turn / 2 + nth) % 2)) = 0 ]; then
		echo '-t'
	else
		echo '-S -J'
	fi
}

# What is allowed where, and how many lines of reasons.
try() {	# <field> <value>
	local what="$1=$2" statuses='0 4'

	"$SPOIL" sb fs.img "$what"
	case " ${geometry//[[:space:]]/ } " in
	*" $1 "*) statuses=4 ;;
	esac
	case $what in
	sb_magicnum=* | sb_logstart=0)
		statuses=8 ;;		# no XFS; another device
	sb_rblocks=[!0]* | sb_rextents=[!0]* | sb_logstart=[!01]* | \
	sb_rextsize=[!1]* | sb_dirblklog=[!01]* | sb_logsunit=[!01]* | \
	sb_logsectsize=[!0]* | sb_logsectlog=[!0]*)
		statuses=4 ;;
	esac
	while read -r view; do
		# shellcheck disable=SC2086 # words
		run_on "$what" "$statuses" fs.img $view
		[ "$statuses" = '0 4' ] || [ ! -s out ] ||
			fail "$what: $view prints"
		[ "$statuses" = '0 4' ] || [ "$(wc -l <err)" = 1 ] ||
			fail "$what: $view says more than one thing"
	done < <(looks)
	dd if=saved of=fs.img conv=notrunc status=none
	echo >>tried
}

# The log as another field places it may be anywhere, but no read is behind it.
try_reads() {	# <change>
	local start bb

	"$SPOIL" sb fs.img "$1"
	run_on "$1" '0 4' fs.img -S -J
	read -r start bb < <(jq -r 'select(.type == "log") |
		"\(.daddr) \(.bbs)"' out)
	reads_only_log "$1" fs.img "$start" "$bb" -t
	dd if=saved of=fs.img conv=notrunc status=none
}

worker() {	# <image> <its number> <more changes>...
	local name=$1 nth=$2 turn=0 field bits value

	shift 2
	mkdir "$name"
	cd "$name"
	unpack "$IMAGES/$name.img.zst" fs.img >/dev/null
	dd if=fs.img of=saved bs=32768 count=1 status=none
	"$SPOIL" fields | while read -r field bits; do
		for value in $(values "$bits"); do
			! is_its_turn || try "$field" "$value"
		done
	done
	for value; do
		try_reads "$value"
	done
	: >passed
}

cat >images <<'END'
linux618/isize1024 0 sb_logstart=1 sb_logblocks=512 sb_logblocks=1369
other/v4-noflush 1 sb_logstart=2 sb_logblocks=600 sb_logsunit=0
END
mkdir linux618 other
while read -r name changes; do
	# shellcheck disable=SC2086 # words
	worker "$name" $changes &
done <images
wait
while read -r name _; do
	[ -e "$name/passed" ] || fail 'see above'
done <images
echo "$(cat ./*/*/tried | wc -l) superblocks${TRACE:+, reads watched}"
