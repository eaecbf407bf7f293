#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Head and tail are found by the cycle number in the first word of every block.
# Where these make no sense the search still ends, with a head that fits what
# is there or with the reason why there is none.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/bad.sh"
need_command jq zstd

magic=0xfeedbabe

# Changes "BLOCK=CYCLE ..." of a log, a case a line: it has $bb blocks, begins
# with cycle $cycle and has the head at $head.
cases() {
	local block value last=$((bb - 1))

	# a block that the bisection looks at, its ends, the head, the tail
	for block in 0 1 2 $last $((last - 1)) $((bb / 2)) $((bb / 4)) \
		     $((head - 1)) "$head" $((head + 1)) "$tail" \
		     $((tail + 1)) $((head / 2)); do
		for value in 0 1 $((cycle - 1)) $((cycle + 1)) $((cycle + 7)) \
			     0x7fffffff 0x80000000 0xffffffff $magic; do
			echo "$block=$((value & 0xffffffff))"
		done
	done
	# both ends
	for value in 0 1 $((cycle + 1)) 0xffffffff $magic; do
		echo "0=$((value)) $last=$((value))"
	done
	# every so many blocks, around the head and over the whole log
	for value in 0 $((cycle + 1)) $magic; do
		stretch "$value" 1 $((head - 70)) $((head + 70))
		stretch "$value" 7 $((head - 500)) $((head + 500))
		stretch "$value" 97 0 "$last"
		stretch "$value" 1 0 70
		stretch "$value" 1 $((last - 70)) "$last"
	done
	# up and down, and falling all the time
	awk -v n="$bb" 'BEGIN {
		for (i = 0; i < n; i += 13)
			printf "%d=%d ", i, 1 + i % 3
		print ""
		for (i = 0; i < n; i += 5)
			printf "%d=%d ", i, n - i
		print ""
		srand(3)
		for (k = 0; k < 10; k++) {
			for (i = 0; i < 300; i++)
				printf "%d=%d ", int(rand() * n), int(rand() * 6)
			print ""
		}
	}'
}

stretch() {	# <value> <step> <from> <to>
	awk -v v="$(($1))" -v step="$2" -v from="$3" -v to="$4" -v n="$bb" 'BEGIN {
		for (i = from < 0 ? 0 : from; i <= to && i < n; i += step)
			printf "%d=%d ", i, v
		print ""
	}'
}

disorder() {	# <image>
	local n=0 start bb cycle head tail what view

	unpack "$IMAGES/linux618/$1.img.zst" fs.img >/dev/null
	read -r start bb tail cycle head < <("$XLOG_PRINT" -S -J fs.img | jq -r '
		select(.type == "log") | "\(.daddr) \(.bbs) \(.tail +
			":" + .head | split(":") | .[1:] | join(" "))"')
	dd if=fs.img of=saved bs=1M iflag=skip_bytes,count_bytes \
		skip=$((start * 512)) count=$((bb * 512)) status=none
	cases >list
	while read -r changes; do
		n=$((n + 1))
		what="$1, case $n (${changes:0:40})"
		# shellcheck disable=SC2086 # words
		"$SPOIL" words fs.img "$start" $changes
		while read -r view; do
			# shellcheck disable=SC2086 # words
			run_on "$what" '0 4' fs.img $view
			[ "$view" = '-S -J' ] || continue
			grep -qE '^\{"type":"log",.*"(head":"|state":"corrupt)' out ||
				fail "$what: no head, and not said why"
		done < <(views "$n" '-S -J' -t --check '-J -n' --explain -d)
		[ $((n % 20)) != 0 ] ||
			reads_only_log "$what" fs.img "$start" "$bb" -t
		dd if=saved of=fs.img bs=1M oflag=seek_bytes \
			seek=$((start * 512)) conv=notrunc status=none
	done <list
	: >passed
}

for name in isize1024 rmap-intents; do
	mkdir $name
	(cd $name && disorder $name) &
done
wait
for name in isize1024 rmap-intents; do
	[ -e $name/passed ] || fail 'see above'
done
echo "$(cat ./*/list | wc -l) logs in disorder${TRACE:+, reads watched}"
