#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Only a log, for filesystems that a kernel has used: the kernel goes on with it
# as with its own, xfs_logprint calls it clean, xfs_repair finds no LSN ahead of
# it, and xfs_db makes the same bytes. What was cut off is not mounted, but for an empty log that was clean.
. "$ROOT/tests/lib/story.sh"
need_loop
need_kernel_xfs
need_command mkfs.xfs xfs_logprint xfs_repair xfs_db xfs_io

loop=() mounted=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ ${#loop[@]} = 0 ] || losetup -d "${loop[@]}" || true
}
trap cleanup EXIT
mkdir mnt

attach() {	# <image> [<log>]
	local f

	for f; do
		loop+=("$(losetup --find --show "$f")")
	done
}

detach() {
	losetup -d "${loop[@]}"
	loop=()
}

mount_it() {
	timeout 60 mount -t xfs ${loop[1]:+-o logdev="${loop[1]}"} \
		"${loop[0]}" mnt || return 1
	mounted=1
}

unmount_it() {
	timeout 60 umount mnt
	mounted=
}

# What the kernel said of the device since the mark
messages() {
	dmesg | sed -n "/$1/,\$p" | grep -F "(${loop[0]#/dev/})" || true
}

work() {	# <name>: files, some of which come to lie in the log only
	mkdir "mnt/$1"
	for i in $(seq 30); do
		echo "$1 $i" >"mnt/$1/$i"
	done
	mv "mnt/$1/1" "mnt/$1/one"
	rm "mnt/$1/2"
}

make_image() {	# <mkfs option>...: fs (and log) as a kernel leaves them
	truncate -s 0 fs
	truncate -s 320m fs
	mkfs.xfs -q -f "$@" fs
}

use() {	# <command>...
	attach fs ${log:+"$log"}
	mount_it
	"$@"
	unmount_it
	detach
}

state_of() {	# of the log, as xfs_logprint sees it
	xfs_logprint ${log:+-l "$log"} -t fs 2>&1 |
		sed -nE 's/.*log tail: [0-9]+ head: [0-9]+ state: <([A-Z]+)>.*/\1/p'
}

# The log is clean; the kernel takes it as it is, works with it, and comes
# back; nothing is wrong with the rest.
goes_on() {	# <word>
	local mark=xlog-$$-$RANDOM

	[ "$(state_of)" = CLEAN ] || fail "$what: xfs_logprint says $(state_of)"
	xfs_repair -n ${log:+-l "$log"} fs >out 2>&1 || {
		tail -n 30 out >&2
		fail "$what: xfs_repair -n complains"
	}
	attach fs ${log:+"$log"}
	echo $mark >/dev/kmsg
	mount_it || fail "$what: not mounted: $(messages $mark)"
	[ "$(cat mnt/before/one)" = 'before 1' ] || fail "$what: a file is gone"
	work "$1"
	unmount_it
	messages $mark >said
	if grep -E 'ahead of current LSN|recovery|orrupt|zeroed' said; then
		fail "$what: the kernel complains"
	fi
	detach
	xfs_repair -n ${log:+-l "$log"} fs >out 2>&1 || {
		tail -n 30 out >&2
		fail "$what: xfs_repair -n complains of what the kernel wrote"
	}
	[ "$(state_of)" = CLEAN ] || fail "$what: xfs_logprint says $(state_of)"
}

new_log() {	# <expected exit> <option>...
	local want=$1

	shift
	if [ -n "$log" ]; then
		expect_exit "$want" "$XLOG_MKFS" --log-only --for=fs "$@" "$log"
	else
		expect_exit "$want" "$XLOG_MKFS" --log-only "$@" fs
	fi
}

same_as_xfs_db() {
	cp --sparse=always fs theirs
	[ -z "$log" ] || cp --sparse=always "$log" theirs.log
	xfs_db -x ${log:+-l theirs.log} -c 'logformat -c 50' theirs >out 2>&1
	new_log 0 -l cycle=50
	cmp fs theirs || fail "$what: xfs_db makes another log"
	[ -z "$log" ] || cmp "$log" theirs.log ||
		fail "$what: xfs_db makes another log"
}

# --- clean logs: twice, so that the second one is of a cycle above 2 ---

tell() {	# <name> <log size> <mkfs option>...
	what=$1 log=
	if [[ $1 = external* ]]; then
		log=extlog
		truncate -s 0 extlog
		truncate -s "$2" extlog
		make_image -l "logdev=extlog,size=$2" "${@:3}"
	else
		make_image -l "size=$2" "${@:3}"
	fi
	use work before
	new_log 0
	goes_on again
	new_log 0
	goes_on and-again
	same_as_xfs_db
}

tell internal 64m
tell 'internal, stripe unit 32k' 64m -l su=32k
tell 'internal, 4 KiB sectors' 64m -s size=4096 -l su=256k
tell external 64m -l su=16k

# --- a new device for the log, which has nothing to say of the cycle ---

what='another log device'
log=replaced
truncate -s 80m replaced
new_log 4
grep -F 'at least' err >/dev/null || fail 'the cycle is not asked for'
cycle=$(sed -nE 's/.* ([0-9]+) at least.*/\1/p' err)
new_log 0 -l "cycle=$cycle"
goes_on replaced

# --- a dirty log is not given up by accident, and counters are right then ---

what='dirty' log=
make_image -l size=64m
use work before
attach fs
mount_it
work lost
xfs_io -x -c 'shutdown -f' mnt
unmount_it
detach
new_log 4
grep -F dirty err >/dev/null || fail 'it is not said that the log is dirty'
new_log 4 -f
new_log 0 -ff
[ "$(state_of)" = CLEAN ] || fail "$what: xfs_logprint says $(state_of)"
sum() {	# <header> <field>: of all groups
	for ag in 0 1 2 3; do
		xfs_db -r -c "$1 $ag" -c "p $2" fs
	done | awk '{ n += $3 } END { print n }'
}
counter() {
	xfs_db -r -c 'sb 0' -c "p $1" fs | awk '{ print $3 }'
}
[ "$(counter icount)" = "$(sum agi count)" ] || fail 'icount is wrong'
[ "$(counter ifree)" = "$(sum agi freecount)" ] || fail 'ifree is wrong'
[ "$(counter fdblocks)" = $(($(sum agf freeblks) + $(sum agf flcount) +
	$(sum agf btreeblks))) ] || fail 'fdblocks is wrong'
xfs_repair fs >out 2>&1 || fail 'xfs_repair cannot mend it'
goes_on mended

# --- cut off after its first write: not mounted by anyone ---

what='cut off'
start=$(xfs_db -r -c 'sb 0' -c 'convert fsblock 0 daddr' -c 'p logstart' fs |
	awk '/logstart/ { print $3 }')
daddr=$(xfs_db -r -c "convert fsblock $start daddr" fs | sed -E 's/.*\(([0-9]+)\).*/\1/')
dd if=/dev/zero of=fs bs=512 count=1 seek="$daddr" conv=notrunc status=none
attach fs
if mount_it 2>/dev/null; then
	fail 'a log that was cut off is mounted'
fi
detach
new_log 4
cycle=$(sed -nE 's/.* ([0-9]+) at least.*/\1/p' err)
new_log 0 -l "cycle=$cycle"
goes_on whole
