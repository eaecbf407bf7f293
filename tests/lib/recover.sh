# shellcheck shell=bash disable=SC2154 # each_image sets the columns
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For stories about recovery, after story.sh: the devices of one image of
# each_image as dirty.img, dirty.log and dirty.rt, which stay, and copies as
# now.img, now.log and now.rt, which are recovered.
export XLOG_RECOVER=$BUILD/xlog-recover
devices=()			# options that name them

again() {	# every device as it was found
	local f

	for f in img log rt; do
		rm -f "now.$f"
		[ ! -e "dirty.$f" ] || cp -p --sparse=always "dirty.$f" "now.$f"
	done
}

unpack_devices() {
	devices=()
	ln -s "$(unpacked "$image")" dirty.img
	if [ "$logdev" != - ]; then
		ln -s "$(unpacked "$logdev")" dirty.log
		devices+=(-l now.log)
	fi
	if [ "$rtdev" != - ]; then
		ln -s "$(unpacked "$rtdev")" dirty.rt
		devices+=(-r now.rt)
	fi
	again
}

# recover STATUS OPTION...: on the copies; output in out and err
recover() {
	local want=$1

	shift
	expect_exit "$want" "$XLOG_RECOVER" "${devices[@]}" "$@" now.img
}

# keep NAME: the devices as they are now, to be compared with
keep() {
	local f

	for f in img log rt; do
		[ ! -e "now.$f" ] || cp -p --sparse=always "now.$f" "$1.$f"
	done
}

# assert_same NAME WHEN: bytes and times are still, or again, those of NAME;
# with a third argument only the bytes
assert_same() {
	local f

	for f in img log rt; do
		[ -e "now.$f" ] || continue
		"$DIFFER" -s "$1.$f" "now.$f" ||
			fail "$name: $2: the $f has changed"
		[ -n "${3:-}" ] ||
			[ "$(stat -Lc %y "$1.$f")" = "$(stat -c %y "now.$f")" ] ||
			fail "$name: $2: the $f was touched"
	done
}

# "FIRST COUNT" of the sectors of the log inside the filesystem; "0 0" if it
# has a device of its own
log_sectors() {	# <image>
	"$XLOG_PRINT" -S -J "$1" 2>/dev/null |
		jq -r 'select(.type == "log" and .internal) |
			"\(.daddr) \(.bbs)"' | grep . || echo 0 0
}

# Sectors of A that differ from B, with the log left out: "SECTOR OFFSET A B" a
# line for the first byte of each that does, the values in octal
differing() {	# <a> <b> <first sector of the log> <sectors of it>
	local rc=0

	"$DIFFER" "$@" || rc=$?
	[ $rc -le 1 ] || fail "$1 and $2 cannot be compared"
}

# What others found that replay leaves of the image: sets pending, unlinked,
# cow; "?" where nobody has looked
remainders() {
	# shellcheck disable=SC2034 # for the caller
	IFS=$'\t' read -r pending unlinked cow < <(
		awk -F '\t' -v name="$name" \
			'$1 == name { print $2 "\t" $3 "\t" $4 }' \
			"$ROOT/tests/images/REMAINDERS.tsv") ||
		pending='?' unlinked='?' cow='?'
}

# Replay alone settles it
is_replayable() {
	remainders
	[ "$outcome:$state:$pending:$unlinked:$cow" = ok:dirty:-:0:0 ]
}

# The log is clean, by ourselves and by xfs_logprint where it can read it.
assert_clean() {
	local says

	"$XLOG_PRINT" --check=full "${devices[@]}" now.img >out 2>&1 ||
		fail "$name: $(cat out)"
	command -v xfs_logprint >/dev/null || return 0
	says=$({ xfs_logprint -t ${devices[0]:+"${devices[@]:0:2}"} now.img 2>&1 || true; } |
	       sed -nE 's/.*state: <([A-Z]*)>.*/\1/p' | head -n 1)
	[ -n "$says" ] || return 0	# not a filesystem that it knows
	[ "$says" = CLEAN ] || fail "$name: xfs_logprint says $says"
	count logprint
}
