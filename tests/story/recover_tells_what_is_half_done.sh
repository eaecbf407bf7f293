#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Exit status 12 is for a device that was left half written: by a replay, and by
# what puts back or discards a log as well; then it is told what to do. A copy
# that is removed, and a dry run, leave nothing half written.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq
dirty=$(unpack "$IMAGES/linux618/bs1k.img.zst")
cp --sparse=always "$dirty" now.img
remember "$dirty"

half() {	# <KiB that can be written to> <option>...: fails behind the first write
	local kib=$1 rc=0

	shift
	(
		ulimit -f "$kib"
		trap '' XFSZ
		exec "$XLOG_RECOVER" "$@" now.img
	) >out 2>err || rc=$?
	[ $rc = 12 ] || { cat err >&2; fail "$*: exit status $rc"; }
	says 'File too large'
}

expect_exit 0 "$XLOG_RECOVER" -z undo --save-log=log now.img
cp --sparse=always now.img done.img
log=$("$XLOG_PRINT" -J --check done.img | jq -r 'select(.type == "log") | .daddr') || true
middle=$((log / 2 + 200))	# KiB: somewhere in the log

half $middle --restore-log=log
says 'the log may be put back in part only: do it again'
expect_exit 0 "$XLOG_RECOVER" --restore-log=log now.img
cp --sparse=always done.img now.img
half $middle --undo-apply=undo
says 'blocks may be put back in part only: do it again'
expect_exit 0 "$XLOG_RECOVER" --undo-apply=undo now.img
cmp now.img "$dirty" || fail 'not undone by doing it again'
half $middle -L --save-log=log2
says 'the log may be overwritten in part: do it again'
cmp log log2 || fail 'it was not saved before'
expect_exit 0 "$XLOG_RECOVER" --restore-log=log2 now.img
cmp now.img "$dirty" || fail 'not put back'

# What cannot be saved is not overwritten: nothing was written then, and there
# is no undo file to speak of.
mkfifo pipe
rc=0
(
	ulimit -f 12
	trap '' XFSZ
	exec "$XLOG_RECOVER" -z undo2 now.img
) >out 2>err || rc=$?
[ $rc = 8 ] || { cat out err >&2; fail "no room for an undo file: exit status $rc"; }
shows 'now.img: dirty, left as it is'
! grep -q 'to undo' out || fail 'an undo file that is not there is named'
[ ! -e undo2 ] || fail 'an undo file of nothing was left'
cmp now.img "$dirty" || fail 'written without being saved'

# Under the address sanitizer strace gets in the way.
if has_asan "$XLOG_RECOVER"; then
	echo 'told'
	exit 0
fi
command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null ||
	skip 'told; a signal while it writes to a copy needs strace'

# calls CALL OPTION...: how many of them a whole run makes
calls() {
	local call=$1

	shift
	rm -f copy
	strace -f -qq -o calls -e trace="$call",io_uring_setup \
		-e inject=io_uring_setup:error=ENOSYS \
		"$XLOG_RECOVER" -m 1 "$@" "$dirty" >out 2>err || true
	grep -c "$call(" calls
}

interrupted() {	# <call> <number> <option>...
	local call=$1 n=$2 rc=0

	shift 2
	rm -f copy
	strace -f -qq -o /dev/null -e trace="$call",io_uring_setup \
		-e inject=io_uring_setup:error=ENOSYS \
		-e inject="$call":signal=TERM:when="$n" \
		"$XLOG_RECOVER" -m 1 -J "$@" "$dirty" >out 2>err || rc=$?
	case $rc in
	0 | 4)	;;			# too late to stop
	32)	stopped=$((stopped + 1))
		grep -q '"wrote":false' out || fail "$*: something was written"
		[ ! -e copy ] || fail "$*: an interrupted copy was left"
		;;
	*)	cat out err >&2; fail "$*, signal at $call $n: exit status $rc" ;;
	esac
	is_untouched "$dirty"
}

stopped=0
n=$(calls pread64 -n)
for back in 2 20 40; do
	interrupted pread64 $((n - back)) -n
done
n=$(calls pwrite64 --target=copy)
for back in 3 5 7 9; do
	interrupted pwrite64 $((n - back)) --target=copy
done
[ $stopped != 0 ] || fail 'no signal came in time'
