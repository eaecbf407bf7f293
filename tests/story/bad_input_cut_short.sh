#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Files that end too early: an image and a copy of a log at every block around
# the head, in the middle of blocks, compressed images anywhere. Where it is
# known how long the file should be, that is what is said; a log copy without
# its description is read for what is there.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/bad.sh"
need_command jq zstd

# Blocks up to 64 from the head, all of the nearest (with CORRUPT_ALL=1: all of
# them), and some bytes that are no block.
places() {	# <block>
	local n

	for ((n = $1 - 64; n <= $1 + 64; n++)); do
		[ -n "${CORRUPT_ALL:-}" ] || [ $((n % 7)) = 0 ] ||
			[ $((n > $1 ? n - $1 : $1 - n)) -le 8 ] || continue
		[ $n -le 0 ] || echo $((n * 512))
	done
	echo $(($1 * 512 - 1)) $(($1 * 512 + 1)) $(($1 * 512 + 300))
}

one_line() {	# <what> <words>
	[ "$(wc -l <err)" = 1 ] || fail "$1: not one line"
	grep -q "$2" err || { cat err >&2; fail "$1: not '$2'"; }
	[ ! -s out ] || fail "$1: output"
}

cut_image() {	# <image>
	local start bb head size

	unpack "$1" whole.img >/dev/null
	read -r start bb head < <("$XLOG_PRINT" -S -J whole.img | jq -r '
		select(.type == "log") |
		"\(.daddr) \(.bbs) \(.head | split(":")[1])"')
	"$XLOG_PRINT" -C copy.log whole.img >/dev/null 2>&1
	[ "$(stat -c %s copy.log)" = $((bb * 512)) ] ||
		fail 'the copy has another size'
	cp --sparse=always copy.log bare.log
	# the longest first: each is cut from the one before
	places "$head" | tr ' ' '\n' | sort -rn >list
	while read -r size; do
		truncate -s $((start * 512 + size)) whole.img
		run_on "image of $size" 4 whole.img -t
		one_line "image of $size" 'cut short'
		truncate -s "$size" copy.log
		run_on "copy of $size" 4 copy.log -t
		one_line "copy of $size" 'but the log has'
		truncate -s "$size" bare.log
		run_on "log of $size" '0 4' bare.log -t
		run_on "log of $size" '0 4' bare.log -J -n
		echo >>tried
	done <list
	reads_only_log 'the shortest log' bare.log 0 \
		$(($(tail -n 1 list) / 512)) -t
	: >passed
}

cut_compressed() {	# <image>
	local whole size

	whole=$(stat -c %s "$1")
	for size in 1 3 4 5 12 100 $((whole / 4)) $((whole / 2)) \
		    $((whole - 4)) $((whole - 1)); do
		head -c "$size" "$1" >cut.zst
		run_on "$size bytes of $whole" 8 cut.zst -t
		run_on "$size bytes of $whole" 8 cut.zst -J
		echo >>tried
	done
	# what is whole and then goes on with something else
	{ cat "$1"; echo more; } >cut.zst
	run_on 'more behind the end' 8 cut.zst -t
	# one byte of the contents; nothing promises that it is noticed here
	cp "$1" cut.zst
	printf '\377' | dd of=cut.zst bs=1 seek=$((whole / 2)) conv=notrunc \
		status=none
	run_on 'a spoilt byte' '0 4 8' cut.zst -t
	: >passed
}

parts='cut_image/linux618/isize1024 cut_image/linux618/rmap-intents
	cut_compressed/linux618/isize1024 cut_compressed/linux618/never'
for part in $parts; do
	mkdir -p "$part"
	(cd "$part" && "${part%%/*}" "$IMAGES/${part#*/}.img.zst") &
done
wait
for part in $parts; do
	[ -e "$part/passed" ] || fail 'see above'
done
echo "$(cat ./*/*/*/tried | wc -l) files cut short"
