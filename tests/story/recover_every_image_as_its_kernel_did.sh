#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every image is recovered as the kernel that wrote it did: byte for byte,
# outside the log, where replay alone settles it; where a mount goes on, so that
# all that can be seen is the same. What is left of realtime space is refused,
# untouched; so is what no replay can be right about.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/recover.sh"
need_command jq xz zstd

# Where a kernel went on after replay though nothing was left of it: image and
# reason. What it then changed and logged may differ; what becomes of that is
# judged by replay_agrees_with_every_kernel.sh. Any other difference is a defect.
went_on() {
	cat <<-'END'
	i386-v4-efi-s1	files were read: blocks behind their ends were then freed
	n72-growfs	the same
	o510-v4-quotaoff2	the same; and quota was counted, the log having turned a kind off
	v4-growfs	files were read: blocks behind their ends were then freed
	v4-uqpq	the same
	v5-growfs	the same
	END
}

# Sectors of what the kernel logged after the old head, with the superblock,
# which it logs at every unmount
logged_after() {
	local options=()

	[ ! -e want.log ] || options=(-l want.log)
	"$XLOG_PRINT" -J -t --from="$head" "${options[@]}" want.img 2>/dev/null |
		jq -r 'select(.type == "item") |
			if .item == "buf" then "\(.daddr) \(.bbs)"
			elif .item == "inode" then
				"\(.format.ilf_blkno + (.format.ilf_boffset / 512 | floor)) 4"
			elif .item == "dquot" then "\(.format.qlf_blkno) 8"
			else empty end' |
		awk '{ for (i = 0; i < $2; i++) print $1 + i }' | sort -nu
}

# The dirty image as its kernel recovered it: want.img and want.rt
kernel_recovery() {
	local base=${image%.img.zst}

	if [ -e "$base.kernel.xz" ]; then
		cp --sparse=always dirty.img want.img
		[ ! -e dirty.log ] || cp --sparse=always dirty.log want.log
		# shellcheck disable=SC2046
		xz -dc "$base.kernel.xz" | "$BUILD/tests/truth/apply_delta" \
			want.img $([ ! -e want.log ] || echo want.log)
		return
	fi
	unpack_recovered "$base" dirty.img want.img
	[ ! -e dirty.rt ] || unpack_recovered "$base.rt" dirty.rt want.rt
}

assert_equal() {
	local from len

	kernel_recovery
	read -r from len < <(log_sectors now.img)
	[ ! -e now.log ] || from=0 len=0
	differing now.img want.img "$from" "$len" >differ
	[ ! -e want.rt ] || differing now.rt want.rt 0 0 >>differ
	if [ ! -s differ ]; then
		count equal
		return
	fi
	if went_on | cut -f 1 | grep -xF "$name" >/dev/null; then
		logged_after >after
		awk 'FILENAME == "after" { after[$1]; next } !($1 in after)' \
			after differ >others
	else
		cp differ others
	fi
	[ ! -s others ] || fail "$name: $(wc -l <others) sectors differ from the kernel's recovery, their first bytes: $(head -n 8 others | paste -sd ,)"
	count nearly
}

said() {	# <what> <pattern> <how often>
	local n

	n=$(grep -cE -- "$2" err || true)
	[ "$n" = "$3" ] || fail "$name: says $n times $1, not $3"
}

# What is found, in a dry run: counted and named as by others.
judge_found() {
	recover 4 -n -J
	assert_same dirty 'a dry run'
	if [ "$pending" = '?' ]; then
		count unknown
		return
	fi
	jq -rs --arg pending "$pending" --argjson unlinked "$unlinked" \
		--argjson cow "$cow" '
		.[-1] as $r |
		([$pending | scan("=([0-9]+)")[0] | tonumber] | add // 0) as $intents |
		(map(select(.type == "remainder" and .kind == "intent") | .item) |
		 group_by(.) | map("\(.[0] | ascii_upcase)=\(length)") |
		 join(" ")) as $named |
		if $r.intents != $intents then "intents \($r.intents), not \($intents)"
		elif $r.unlinked != $unlinked then "unlinked \($r.unlinked), not \($unlinked)"
		elif $r.cow_extents != $cow then "CoW \($r.cow_extents), not \($cow)"
		elif $intents > 0 and $named != $pending then "named \($named), not \($pending)"
		else empty end' out >verdict
	[ ! -s verdict ] || fail "$name: $(cat verdict)"
	# and in words, a line each
	recover 4 -n -v
	said unlinked ': unlinked ' "$unlinked"
	said CoW ': set aside for copy on write' "$cow"
	said intents ': [a-z]+(_rt)? 0x[0-9a-f]+: ' "$(tr ' ' '\n' <<<"$pending" |
		awk -F = '{ n += $2 } END { print n + 0 }')"
	assert_same dirty 'a dry run'
	count found
}

# All that can be seen of a filesystem. An attribute that is set in shortform by
# a recovery is a change of now: image and inode.
see() {	# <image>
	"$BUILD/tests/agree/fslook" "$1" >look || fail "$name: $(tail -n 1 look)"
	case $name in
	be612-live-s3) sed 's/^\(inode 140313 .*\) ctime [0-9a-f]*/\1/' look ;;
	*) cat look ;;
	esac
}

judge_remainder() {
	local from len

	recover 4 -n -v
	if grep -qE 'unlinked realtime|_rt 0x|rt[g0-9]*/[0-9]+[+]' err; then
		recover 4
		grep -E 'realtime|_rt 0x' err >/dev/null ||
			fail "$name: not refused for realtime space: $(cat err)"
		assert_same dirty 'a refusal'
		count realtime
		return
	fi
	judge_found
	recover 0
	assert_clean
	kernel_recovery
	see now.img >ours
	see want.img >theirs
	diff theirs ours >differ ||
		fail "$name: $(wc -l <differ) lines differ from the kernel's recovery: $(head -n 8 differ)"
	read -r from len < <(log_sectors now.img)
	[ ! -e now.log ] || from=0 len=0
	differing now.img want.img "$from" "$len" >differ
	[ "$(wc -l <differ)" -gt 1 ] || count same
	count finished
	keep first
	recover 0
	assert_same first 'a second run'
}

judge() {
	local pending unlinked cow

	unpack_devices
	remainders
	count images
	case $outcome:$refusal in
	refused*:'another owner')
		# beyond the kernel: the owner of a fork changes; nobody else
		# recovers it, so that there is nothing to compare with
		recover 0
		assert_clean
		count beyond
		;;
	refused*)
		recover 4
		assert_same dirty 'a refusal'
		[ "$refusal" = '?' ] || grep -qiF "$refusal" err ||
			fail "$name: refused, but not for \"$refusal\": $(cat err)"
		count refused
		return
		;;
	*)
		if [ "$pending:$unlinked:$cow" != -:0:0 ]; then
			judge_remainder
			return
		fi
		recover 0
		if [ "$state" = dirty ]; then
			assert_equal
			assert_clean
		else
			assert_same dirty 'a clean log'
			count clean
		fi
		;;
	esac
	keep first
	recover 0
	assert_same first 'a second run'
}

each_image judge || fail 'not as the kernels did'
echo "$(counted images) images: $(counted equal) recovered byte for byte" \
	"outside the log as by their kernels, $(counted nearly) but for blocks" \
	"that these changed later; $(counted beyond) that no kernel recovers;" \
	"$(counted clean) clean; $(counted finished) finished as by their" \
	"kernels, $(counted same) of these to the byte but for the superblock;" \
	"$(counted realtime) refused for realtime space; what is left found in" \
	"$(counted found) as by others; $(counted refused) refused as by Linux;" \
	"xfs_logprint calls $(counted logprint) logs clean"
