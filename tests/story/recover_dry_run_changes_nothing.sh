#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -n does everything but write: devices are opened for reading only, neither
# bytes nor times change, and what it lists is what a recovery then changes.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_command jq zstd

# Sectors that the run listed as changed
listed() {
	jq -r 'select(.type == "block" and .before != .after) |
		"\(.daddr) \(.bbs)"' "$1" |
		awk '{ for (i = 0; i < $2; i++) print $1 + i }' | sort -nu
}

look() {
	local want=4 from len

	unpack_devices
	[ "$outcome:$state" != ok:clean ] || want=0
	recover $want -n -J
	cp out dry
	assert_same dirty 'a dry run'
	count images
	recover $want -n
	assert_same dirty 'a dry run'

	is_replayable || return 0
	grep -q '"exit":4' <(tail -n 1 dry) || fail "$name: $(tail -n 1 dry)"
	recover 0
	read -r from len < <(log_sectors dirty.img)
	differing dirty.img now.img "$from" "$len" | cut -d ' ' -f 1 >changed
	listed dry >planned
	# the superblock gets its checkpoint at the end, and is not listed if
	# that is all that happens to it
	comm -23 <(sort changed) <(sort planned) | grep -vx 0 >unsaid || true
	[ ! -s unsaid ] || fail "$name: changed but not listed: $(head -n 5 unsaid | paste -sd ' ')"
	# a block is listed if any of it changes
	jq -r 'select(.type == "block" and .before != .after) |
		"\(.daddr) \(.bbs)"' dry >blocks
	awk 'NR == FNR { changed[$1]; next }
	     { for (i = 0; i < $2; i++) if (($1 + i) in changed) next; print }' \
		changed blocks >unchanged
	[ ! -s unchanged ] || fail "$name: listed but not changed: $(head -n 5 unchanged)"
	count blocks "$(wc -l <blocks)"
}

# Blocked in a message, into a pipe that is full, the program can be looked at:
# all of its descriptors of the image are for reading. The message is one that
# comes while the log is read.
opened_read_only() {
	local pid fd flags seen=0

	unpack "$IMAGES/linux618/torn-garbage.img.zst" now.img >/dev/null
	mkfifo pipe
	exec 3<>pipe
	dd if=/dev/zero of=pipe bs=4096 count=1024 oflag=nonblock \
		2>/dev/null || true
	"$XLOG_RECOVER" -n now.img >out 2>pipe 3>&- &
	pid=$!
	for _ in $(seq 200); do
		for fd in "/proc/$pid/fd"/*; do
			[ "$fd" -ef now.img ] || continue
			seen=1
			flags=$(awk '$1 == "flags:" { print $2 }' \
				"/proc/$pid/fdinfo/${fd##*/}")
			[ $((0$flags & 3)) = 0 ] ||
				fail "the image is opened for writing: $flags"
		done
		[ $seen = 0 ] || break
		sleep 0.05
	done
	exec 3>&-	# a write without a reader ends it
	wait $pid || true
	[ $seen = 1 ] || fail 'the image was not seen open'
}

each_image look || fail 'not a dry run'
opened_read_only
echo "$(counted images) images, nothing changed; $(counted blocks) blocks" \
	"listed, the same that recoveries change"
