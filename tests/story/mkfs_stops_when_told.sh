#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A signal before the first write: exit status 32, all is as it was, and a file
# that was to be made is not there. Behind it: 12, and no filesystem, neither
# the old one nor half of a new one; or, where it came too late, all of that.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command blkid flock mkfs.ext4
blank old 48m
mkfs.ext4 -q -F -L PRECIOUS old
again() {
	cp --sparse=always old fs
}

waits() {	# <process> for a lock
	while ! grep -qE -- "-> FLOCK .* $1 " /proc/locks; do
		kill -0 "$1" || fail 'a lock was not waited for'
		sleep 0.01
	done
}

# The wait for a lock ends at once.
again
remember fs
exec 5<fs
flock -x 5
for signal in INT TERM; do
	(
		trap - INT TERM
		exec "$XLOG_MKFS" -x -f --lock fs >out 2>err 5<&-
	) &
	pid=$!
	waits $pid
	kill -s $signal $pid
	rc=0
	wait $pid || rc=$?
	[ $rc = 32 ] || { cat err >&2; fail "SIG$signal: exit status $rc"; }
	says interrupted
	[ ! -s out ] || fail "SIG$signal: output"
	is_untouched fs
done
exec 5<&-

# What grows while its lock is waited for is not cut off again.
blank grows 1m
exec 5<grows
flock -x 5
"$XLOG_MKFS" -x -q --lock -d size=48m grows 2>err 5<&- &
pid=$!
waits $pid
truncate -s 64m grows
exec 5<&-
wait $pid || fail "$(cat err)"
[ "$(stat -c %s grows)" = $((64 << 20)) ] || fail "$(ls -l grows)"
rm grows

# A signal between two calls. What leaks cannot be looked for beside strace.
need_command strace
strace -o /dev/null true 2>/dev/null || skip 'needs the right to trace'
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
at() {	# <call> <number> <argument>...: exit status in rc
	local call=$1 n=$2

	shift 2
	rc=0
	strace -f -qq -o /dev/null -e trace="$call",io_uring_setup \
		-e inject=io_uring_setup:error=ENOSYS \
		-e inject="$call":signal=TERM:when="$n" \
		"$XLOG_MKFS" -x "$@" >out 2>err || rc=$?
}

# Before anything is written: while it is asked what is there, and where a file
# has just been made.
at flock 1 -f fs
[ $rc = 32 ] || fail "a signal at the lock: exit status $rc: $(cat err)"
says interrupted
is_untouched fs
for call in flock ftruncate; do
	at $call 1 -d size=48m new
	[ $rc = 32 ] || fail "a signal at $call: exit status $rc: $(cat err)"
	says interrupted
	[ ! -e new ] || fail "a signal at $call: a file was left"
done
at flock 1 -f -z undo -J fs
[ $rc = 32 ] && [ ! -e undo ] || fail "an undo file was left, or $rc"
is_untouched fs
tail -n 1 out | grep '"wrote":false,.*"exit":32}$' >/dev/null ||
	fail "no result: $(cat out)"

part=0
for n in 1 2 3 4 5 8 13 21; do
	again
	at pwrite64 $n -q -f fs
	case $rc in
	12)	part=$((part + 1))
		says 'fs: written in part, there is no filesystem on it now'
		says interrupted
		blkid -p fs >found || true
		[ ! -s found ] || fail "a signal at write $n: there is $(cat found)"
		expect_exit 0 "$XLOG_MKFS" -x -q fs ;;
	0)	;;
	*)	cat err >&2; fail "a signal at write $n: exit status $rc" ;;
	esac
	"$XLOG_PRINT" --check fs >out || fail "a signal at write $n: $(cat out)"
done
[ $part != 0 ] || fail 'no signal came between two writes'

# what was done can be undone
again
at pwrite64 20 -f -z undo fs
[ $rc = 12 ] || fail "exit status $rc: $(cat err)"
shows 'to undo: xlog-recover --undo-apply=undo fs'
expect_exit 0 "$XLOG_RECOVER" --undo-apply=undo fs
cmp fs old
# a file that was made is not left in part
at pwrite64 2 -q -d size=48m new
[ $rc = 32 ] && [ ! -e new ] || fail "exit status $rc: $(ls)"

# A file that is made is opened by its name once: whatever that stands for later
# is another file.
strace -f -qq -o calls -e trace=open,openat,creat \
	"$XLOG_MKFS" -x -q -d size=48m made
[ "$(grep -c '"made"' calls)" = 1 ] || fail "$(cat calls)"
grep '"made", .*O_CREAT|O_EXCL' calls >/dev/null || fail "$(cat calls)"

# The last flush fails: all is written, and nobody knows what the disk has.
again
strace -f -qq -o calls -e trace=fdatasync "$XLOG_MKFS" -x -q -f fs
last=$(wc -l <calls)
again
rc=0
strace -f -qq -o /dev/null -e trace=fdatasync \
	-e inject=fdatasync:error=EIO:when="$last" \
	"$XLOG_MKFS" -x -q -f fs 2>err || rc=$?
[ $rc = 12 ] || fail "the last flush fails: exit status $rc: $(cat err)"
says 'fs: there may be a filesystem on it now, but it is not certain to be durable'
expect_exit 0 "$XLOG_PRINT" --check fs

# On a disk, to discard and to write zeros in other ways are writes, too.
need_loop
again
loop=$(losetup --find --show fs)
trap 'losetup -d "$loop"' EXIT
at fallocate 1 -q -f "$loop"
[ $rc = 12 ] || fail "a signal while erasing: exit status $rc: $(cat err)"
says "$loop: written in part, there is no filesystem on it now"
