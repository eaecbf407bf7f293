#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the log engine has written when power fails, the kernel of this machine
# recovers: every transaction that was forced is there, none by half, none
# without those before it. It shows the same files as after xlog-recover, and
# xfs_repair finds nothing wrong. Both policies, log buffers of 16 to 256 KiB,
# stripe units, sectors of 512 and 4096 bytes, a log elsewhere, in logs that
# wrap again and again; written by one thread that takes every step of the
# engine, and by xlog-bench with all of its threads and kinds of crashes.
#
# CRASHES	so many (8); from 50 on, of each kind there have to be enough
# XLOG_SEED	the first seed (1)
. "$ROOT/tests/lib/story.sh"
need_loop
need_kernel_xfs
need_command jq xfs_repair xfs_logprint
: "${CRASHES:=8}" "${XLOG_SEED:=1}"
engine=$BUILD/tests/story/engine_changes_inodes

loop=
logloop=
cleanup() {
	! mountpoint -q mnt || timeout 60 umount mnt || true
	[ -z "$loop" ] || losetup -d "$loop" || true
	[ -z "$logloop" ] || losetup -d "$logloop" || true
}
trap cleanup EXIT
mkdir mnt

# A filesystem NAME is the image NAME.img, and NAME.log if its log is elsewhere.
attach() {	# <name> <mount options> <losetup option>...
	local options=nouuid,noatime,$2

	loop=$(losetup --find --show "${@:3}" "$1.img")
	if [ -e "$1.log" ]; then
		logloop=$(losetup --find --show "${@:3}" "$1.log")
		options+=,logdev=$logloop
	fi
	timeout 60 mount -t xfs -o "$options" "$loop" mnt ||
		fail "$what: the kernel does not mount $1.img"
}

release() {
	timeout 60 umount mnt
	losetup -d "$loop"
	loop=
	[ -z "$logloop" ] || losetup -d "$logloop"
	logloop=
}

copy() {	# <from> <to>
	rm -f "$2".*
	cp --sparse=always "$1.img" "$2.img"
	[ ! -e "$1.log" ] || cp --sparse=always "$1.log" "$2.log"
}

# in @logdev, what tools want to be told of the log of NAME
logdev_of() {	# <name>
	logdev=()
	[ ! -e "$1.log" ] || logdev=(-l "$1.log")
}

look() {	# <name> <mount options> <losetup option>...
	attach "$@"
	(cd mnt && find . -printf '%p %i %y %m %U %G %s %n %A@ %C@ %T@\n' | sort)
	release
}

# --- filesystems with files ---

new_base() {	# <name> <xlog-mkfs option>...
	what=$1
	truncate -s 300m "$1.img"
	"$XLOG_MKFS" -q -x "${@:2}" "$1.img" >out
	attach "$1" rw
	for ((d = 0; d < 10; d++)); do
		mkdir mnt/$d
		for ((f = 0; f < 40; f++)); do
			: >mnt/$d/$f
		done
	done
	release
}

# What is reserved behind the end of files the kernel takes back when it has
# looked at them: not later, among the changes that are compared.
image_base() {	# <name>
	what=$1
	unpack "$IMAGES/linux618/$1.img.zst" "$1.img" >out
	"$XLOG_RECOVER" "$1.img" >out
	look "$1" rw >out
}

bases=(xattrs sect4k su32k extlog isize1024 sect4k_su256k su16k)
image_base xattrs
image_base isize1024
new_base su16k -l su=16k,size=16m
new_base su32k -l su=32k,size=16m
new_base sect4k -s size=4096 -l size=16m
new_base sect4k_su256k -s size=4096 -l su=256k,size=26m
truncate -s 20m extlog.log
new_base extlog -l logdev=extlog.log

# --- crashes ---

# One thread; the program knows what has to be there.
by_steps() {	# <base>
	copy "$1" kernel
	"$engine" make "$1.img" kernel.img "$seed" >>facts
}

judged_by_steps() {	# <base> <name>
	"$engine" judge "$1.img" "$2.img" "$seed" >out 2>&1 ||
		fail "$what: $2: $(cat out)"
}

kinds=(torn clean drop reorder)
sizes=(16k 32k 64k 128k 256k)
loads=(setattr 'relog,set=40' 'bigtx,set=10' setattr)

# All of its threads; what has to be there it has verified by a recovery of its
# own, to which that of the kernel is compared.
by_bench() {	# <base>
	local nth=$((seed / 2)) policy=delaylog size after

	size=${sizes[nth % 5]}
	[[ $1 != *su* ]] || size=256k
	[ $((nth % 5)) != 1 ] || policy=nodelaylog
	# up to two or three times round the log
	case $((nth % 3)) in
	0) after=$((RANDOM * 1200 + 30000))bytes ;;
	1) after=$((RANDOM * 4 + 100))ops ;;
	2) after=$((RANDOM / 30 + 3))iclogs ;;
	esac
	copy "$1" kernel
	logdev_of kernel
	[ ! -e "$1.log" ] || logdev=(-l logdev=kernel.log)
	what+=" $policy ${kinds[nth % 4]} $size ${loads[nth % 4]} $after"
	"$XLOG_BENCH" -J --scratch -s "$seed" -j $((1 + nth % 4)) \
		-w "${loads[nth % 4]}" -o "$policy,logbsize=$size" \
		--crash="${kinds[nth % 4]}" --crash-after=$after \
		-n 400000 --fsync-every=$((10 + nth % 7 * 30)) \
		"${logdev[@]}" kernel.img >bench 2>err || fail "$what: $(tail -n 3 bench err)"
	jq -e 'select(.type == "result") | .crashed and .verified and
		.mismatches == 0 and .forced > 0' bench >/dev/null ||
		fail "$what: $(tail -n 1 bench)"
	tell_of_bench
}

tell_of_bench() {
	jq -r 'select(.type == "result") |
		"transactions=\(.tx) forced=\(.forced) recovered=\(.recovered)"' \
		bench >>benches
}

# xfs_logprint cannot go on behind a record whose header, of several blocks,
# crosses the end of the log; the kernel can.
header_over_the_end() {
	"$XLOG_PRINT" "${logdev[@]}" -J kernel.img 2>err.print | jq -es '
		(map(select(.type == "log"))[0].bbs) as $bbs |
		any(.[]; .type == "record" and
			.block + ((.hsize + 32767) / 32768 | floor) > $bbs)' \
		>/dev/null
}

cycle_of() {	# <name>: of the head of its log
	logdev_of "$1"
	"$XLOG_PRINT" -S -J "${logdev[@]}" "$1.img" 2>err |
		jq -r 'select(.type == "log") | .head | split(":")[0]'
}

# Readers of the log have nothing to say against it; what was not durable may
# be torn, or have holes.
torn='torn write\|a hole in the newest writes'
readers() {
	logdev_of kernel
	if ! xfs_logprint -t "${logdev[@]}" kernel.img >printed 2>err; then
		header_over_the_end && grep -q 'Invalid block length' err ||
			fail "$what: xfs_logprint does not read it: $(tail -n 3 printed err)"
		unread=$((unread + 1))
		: >printed
		: >err
	fi
	! grep -wiE 'error|corrupt|bad|unknown|invalid' printed err >&2 ||
		fail "$what: xfs_logprint"
	"$XLOG_PRINT" -t "${logdev[@]}" kernel.img >printed 2>err || fail "$what: xlog-print: $(cat err)"
	! grep -v "$torn" err >&2 || fail "$what: xlog-print -t"
	expect_exit "$1" "$XLOG_PRINT" --check=full "${logdev[@]}" kernel.img
	! grep -v "$torn" err >&2 || fail "$what: xlog-print --check=full"
	! grep -q 'torn write' err || echo "$by torn" >>seen
	[ "$(cycle_of kernel)" = "$(cycle_of "$base")" ] || echo "$by round" >>seen
}

state_of() {	# <name>: exit status of a check
	local rc=0

	logdev_of "$1"
	"$XLOG_PRINT" --check "${logdev[@]}" "$1.img" >/dev/null 2>&1 || rc=$?
	echo $rc
}

repair() {	# <name>
	logdev_of "$1"
	xfs_repair -n "${logdev[@]}" "$1.img" >repair 2>&1 ||
		{ cat repair >&2; fail "$what: xfs_repair of $1"; }
}

replayed=0
unread=0
: >facts
: >benches
: >seen
RANDOM=$XLOG_SEED
for ((n = 0; n < CRASHES; n++)); do
	seed=$((XLOG_SEED + n))
	base=${bases[n / 2 % ${#bases[@]}]}
	what="seed $seed, $base"
	if [ $((n % 2)) = 0 ] && [ ! -e "$base.log" ]; then
		by=steps
	else
		by=bench
	fi
	by_$by "$base"
	dirty=$(state_of kernel)
	readers "$dirty"
	copy kernel ours
	logdev_of ours
	"$XLOG_RECOVER" "${logdev[@]}" ours.img >out 2>err || { cat err >&2; fail "$what"; }
	! grep -q '^replayed' out || replayed=$((replayed + 1))
	look kernel rw >want
	look ours ro,norecovery -r >have
	diff -u want have >&2 || fail "$what: the kernel recovers something else"
	if [ $by = steps ]; then
		judged_by_steps "$base" kernel
		judged_by_steps "$base" ours
	fi
	repair ours
	repair kernel
done
[ $replayed -gt 0 ] || fail 'nothing was ever replayed'

# --- of which kinds they were ---

echo "$CRASHES crashes, $replayed with something to replay; by xlog-bench $(wc -l <benches); not for xfs_logprint $unread"
echo "by xlog-bench, torn: $(grep -c '^bench torn' seen || true)"
echo "by xlog-bench, at least once round the log: $(grep -c '^bench round' seen || true)"
for kind in torn recent wrapped in_flight direct; do
	count=$(grep -c " $kind=1" facts || true)
	echo "$kind: $count of $(wc -l <facts)"
	[ "$CRASHES" -lt 50 ] || [ $((count * 10)) -ge "$(wc -l <facts)" ] ||
		fail "too few of them: $kind"
done
