#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is decoded is true: for each image of which we have the kernel's own
# recovery, every field of the metadata is compared with what xfs_db prints. Of
# each class of blocks and inodes a few in each image; FIELDS_LIMIT=0: all.
# XFS_DB: another xfs_db, for images that the one of the system is too old for.
. "$ROOT/tests/lib/story.sh"
export XFS_DB=${XFS_DB:-xfs_db}
need_command "$XFS_DB" zstd xz

truth=$ROOT/tests/truth
images=0
# the option for the realtime device is as new as the groups on it
takes_rt=$("$XFS_DB" 2>&1 | grep -o -- '-R rtdev' || true)
# xfs_db reads directly: in memory nothing has to reach a disk for that.
if memory=$(mktemp -d -p /dev/shm xlog-fields.XXXXXX 2>/dev/null); then
	trap 'rm -rf "$memory"' EXIT
	cd "$memory"
fi

# An xfs_db that does not know all features of an image does not open it. That
# is no excuse where every xfs_db of today does.
opens() {	# <image> [<realtime>]
	"$XFS_DB" -r ${2:+-R "$2"} -c 'sb 0' -c 'print magicnum' "$1" >out 2>err &&
		grep -q '^magicnum = 0x58465342$' out && return
	grep -qi 'newer xfsprogs' err || fail "xfs_db does not open $1: $(cat err)"
	echo "$1: left out, this xfs_db is too old for it"
	return 1
}

# The image as the kernel's own recovery left it. The log is not looked at.
recover() {	# <file.img.zst> <image>: false if there is none
	local patch=${1%.img.zst}.recovered.zpatch delta=${1%.img.zst}.kernel.xz

	if [ -e "$patch" ]; then
		mv "$2" before
		unpack_recovered "${1%.img.zst}" before "$2" ||
			fail "$patch cannot be applied"
		rm before
	elif [ -e "$delta" ]; then
		: >log
		xz -dc "$delta" | "$BUILD/tests/truth/apply_delta" "$2" log ||
			fail "$delta cannot be applied"
		rm log
	else
		return 1
	fi
}

while IFS=$'\t' read -r name image _ rtdev _; do
	unpack "$image" image >/dev/null
	rt=
	if [ "$rtdev" != - ] && [ -n "$takes_rt" ]; then
		rt=realtime
		unpack "$rtdev" $rt >/dev/null
		recover "$rtdev" $rt || true	# recovery may not touch it
	fi
	if recover "$image" image && opens image $rt; then
		bash "$truth/fields_match.sh" image "${FIELDS_LIMIT:-2}" $rt >out || {
			cat out >&2
			fail "$name: fields do not match"
		}
		printf '%s: %s\n' "$name" "$(grep '^fields' out)"
		grep '^@' ours | cut -d ' ' -f 1,2 >>places
		images=$((images + 1))
	fi
	rm -f image realtime
done < <(images_table)
[ $images != 0 ] || fail 'no image was compared'

# Every kind of place occurred, at least in the images that belong to the tests.
sort places | uniq -c
# shellcheck disable=SC2086 # a list of names
for t in ${takes_rt:+rtsb rgbitmap rgsummary rtrmapbt rtrefcntbt} sb agf agi \
	agfl bnobt cntbt inobt finobt rmapbt refcntbt bmapbtd inode free_inode \
	dir_block dir_data dir_leaf1 dir_leafn dir_free da_node attr_leaf \
	attr_rmt symlink dquot; do
	[ "$IMAGES" != "$ROOT/tests/images" ] || grep -q " $t$" places ||
		fail "no $t was compared"
done

# The comparison notices one wrong value, one field too few and one too many.
compare() {
	awk -f "$truth/compare.awk" "$truth/exceptions.tsv" "$@" >out
}
compare ours theirs || fail 'the last image does not match any more'
sed '/^core.di_gen\t/s/\t.*/\t1x/' ours >wrong
! compare wrong theirs || fail 'a wrong value was not noticed'
sed '/^core.di_gen\t/d' ours >wrong
! compare wrong theirs || fail 'a missing field was not noticed'
sed '/\tcore.di_gen\t/d' theirs >wrong
! compare ours wrong || fail 'a field of ours alone was not noticed'
