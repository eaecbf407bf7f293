#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -z saves what recovery overwrites; --undo-apply puts it back, byte for byte,
# also when the recovery did not come to its end. A journal that is damaged, or
# of another filesystem, or older than what was written since, changes nothing.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_command jq zstd

undo() {	# <exit status> <journal>
	expect_exit "$1" "$XLOG_RECOVER" "${devices[@]}" --undo-apply="$2" now.img
}

# What a process that was killed had under way may hold the file for a moment.
undo_when_free() {	# <journal>
	for _ in $(seq 100); do
		"$XLOG_RECOVER" "${devices[@]}" --undo-apply="$1" now.img \
			>out 2>err && return
		grep -q 'in use' err || return
		sleep 0.1
	done
	return 1
}

# Recover with a limit on the size of files, in KiB: no write behind it works.
# Then the signal ends the program, or, ignored, the write fails.
cut_off() {	# <KiB> <"" or ignore>
	local rc=0

	{
		(
			ulimit -f "$1"
			[ -z "$2" ] || trap '' XFSZ
			exec "$XLOG_RECOVER" "${devices[@]}" -z half now.img
		) >out 2>err || rc=$?
	} 2>/dev/null
	[ $rc != 0 ]
}

# Somewhere in the blocks that the recovery changes, in KiB
places_to_stop() {
	differing dirty.img now.img 0 0 | awk '
		{ s[NR] = $1 }
		END {
			for (i = 1; i < 6; i++)
				print int(s[int(NR * i / 6) + 1] / 2)
		}' | uniq
}

interrupted() {
	local kib how

	places_to_stop >places
	while read -r kib; do
		for how in '' ignore; do
			again
			rm -f half
			# the journal itself must find room
			[ "$kib" -gt 4096 ] || continue
			cut_off "$kib" "$how" || continue
			count cut
			"$DIFFER" -s dirty.img now.img || count half
			[ ! -e half ] || undo_when_free half ||
				fail "$name: stopped at $kib KiB: $(cat err)"
			assert_same dirty "undone after a stop at $kib KiB" bytes
		done
	done <places
}

killed() {
	local i pid

	for i in 1 2 3 4 5 6; do
		again
		rm -f half
		# a leak checker that is killed would complain of that
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
			"$XLOG_RECOVER" "${devices[@]}" -z half now.img \
			>out 2>err &
		pid=$!
		sleep "0.0$((i * RANDOM % 9))"
		kill -9 $pid 2>/dev/null || true
		wait $pid 2>/dev/null && continue
		count killed
		# killed before the journal was there: nothing was written either
		[ ! -s half ] || undo_when_free half || true
		assert_same dirty 'undone after a kill' bytes
	done
}

# The journal says of itself where its head, slots and records lie.
damaged_journals() {
	local size at i

	size=$(stat -c %s journal)
	for i in 0 1 2 3 4 5 6 7 8 9; do
		# in the head, and all over the records
		at=$((i < 2 ? i * 40 + 17 :
		      12288 + (size - 12288) * (i * 2 - 3) / 16))
		cp journal bad
		printf '\125' | dd of=bad bs=1 seek=$at conv=notrunc status=none
		cmp -s journal bad && continue
		undo 4 bad
		assert_same recovered "a journal damaged at byte $at" bytes
		count bad
	done
	# one of its two ends may be lost; if both are, nothing is put back
	cp journal bad
	head -c 8192 /dev/zero |
		dd of=bad bs=4096 seek=1 conv=notrunc status=none
	undo 4 bad
	assert_same recovered 'a journal without an end' bytes
	head -c $((size / 2)) journal >bad
	undo 4 bad
	assert_same recovered 'half a journal' bytes
	: >bad
	"$XLOG_RECOVER" "${devices[@]}" --undo-apply=bad now.img >out 2>err &&
		fail "$name: an empty journal is taken"
	assert_same recovered 'an empty journal' bytes
}

one_image_undone() {
	local leave=() rc=0 want=0

	remainders
	[ "$outcome:$state:$pending" = ok:dirty:- ] || return 0
	if [ "$unlinked:$cow" != 0:0 ]; then
		leave=(--iunlinks=leave)
		want=4
	fi
	unpack_devices
	recover $want "${leave[@]}" -z journal
	keep recovered
	"$DIFFER" -s dirty.img now.img && fail "$name: nothing has changed"
	[ -s journal ] || fail "$name: no journal"

	# a journal that is there is never overwritten
	cp journal copy
	rc=0
	"$XLOG_RECOVER" "${devices[@]}" "${leave[@]}" -z journal now.img \
		>out 2>err || rc=$?
	cmp journal copy || fail "$name: the journal was overwritten"
	assert_same recovered 'with a journal that is there'

	case $name in
	dir8k | i386-v4-efi-s1 | extlog) damaged_journals ;;
	esac
	undo 0 journal
	assert_same dirty 'undone' bytes
	count undone

	# the same recovery again, without a journal
	recover $want "${leave[@]}"
	assert_same recovered 'recovered again' bytes
	case $name in
	dir8k | bs1k | wrap256k | xattrs | v4-swapext-bigdir)
		interrupted
		killed
		;;
	esac
}

each_image one_image_undone || fail 'not undone'

# Of another filesystem, and of this one but older than what was written since.
dirty=$(unpacked "$IMAGES/linux618/chmod-only.img.zst")
cp --sparse=always "$dirty" now.img
unpack "$IMAGES/linux618/bs1k.img.zst" other.img >/dev/null
expect_exit 0 "$XLOG_RECOVER" -z journal now.img
cp --sparse=always other.img before.img
expect_exit 4 "$XLOG_RECOVER" --undo-apply=journal other.img
"$DIFFER" other.img before.img || fail 'a journal of another filesystem is applied'
at=$("$DIFFER" now.img "$dirty" | awk 'NR == 1 { print $2 }' || true)
printf '\0' | dd of=now.img bs=1 seek="$((at + 1))" conv=notrunc status=none
printf '\377' | dd of=now.img bs=1 seek="$((at + 2))" conv=notrunc status=none
cp --sparse=always now.img before.img
expect_exit 4 "$XLOG_RECOVER" --undo-apply=journal now.img
"$DIFFER" now.img before.img || fail 'what was written since is overwritten'

echo "$(counted undone) images recovered and put back byte for byte;" \
	"$(counted cut) recoveries cut off ($(counted half) half done) and" \
	"$(counted killed) killed, put back as well; $(counted bad) damaged" \
	"journals refused"
