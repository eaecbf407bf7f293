#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A signal before the first write: exit status 32, the device is as it was. A
# signal or a failure after it: 12, and the next run completes what was begun.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq flock
dirty=$(unpack "$IMAGES/linux618/bs1k.img.zst")
cp --sparse=always "$dirty" want
expect_exit 0 "$XLOG_RECOVER" want
cp --sparse=always "$dirty" now.img
remember now.img

# The wait for a lock ends at once.
exec 5<now.img
flock -x 5
for signal in INT TERM; do
	for json in '' -J; do
		(
			trap - INT TERM
			# shellcheck disable=SC2086 # no option is no word
			exec "$XLOG_RECOVER" --lock $json now.img >out 2>err 5<&-
		) &
		pid=$!
		while ! grep -qE -- "-> FLOCK .* $pid " /proc/locks; do
			kill -0 $pid || fail 'a lock was not waited for'
			sleep 0.01
		done
		kill -s $signal $pid
		rc=0
		wait $pid || rc=$?
		[ $rc = 32 ] || { cat err >&2; fail "SIG$signal: exit status $rc"; }
		says interrupted
		[ ! -s out ] || fail "SIG$signal: output"
		is_untouched now.img
	done
done
exec 5<&-

# No write behind some place works. Where it fails first, nothing is written;
# behind that, a part.
part=0
last=$({ cmp -l "$dirty" want || true; } | awk 'END { print int($1 / 1024) }')
for kib in 20000 40000 $((last * 3 / 5)) $((last * 4 / 5)) $((last - 1)); do
	cp --sparse=always "$dirty" now.img
	(
		ulimit -f $kib
		trap '' XFSZ
		rc=0
		"$XLOG_RECOVER" -J now.img >lines 2>err || rc=$?
		echo $rc >status
	)
	rc=$(cat status)
	[ "$(tail -n 1 lines | jq .exit)" = "$rc" ] || fail "$kib KiB: exit status $rc: $(tail -n 1 lines)"
	case $rc in
	8)	cmp now.img "$dirty" || fail "$kib KiB: 8, but something was written" ;;
	12)	[ "$(tail -n 1 lines | jq .wrote)" = true ]
		part=$((part + 1))
		expect_exit 4 "$XLOG_PRINT" --check now.img
		;;
	*)	cat err >&2; fail "$kib KiB: exit status $rc" ;;
	esac
	grep -q '"what":"[^"]*File too large' lines || fail "$kib KiB: not told: $(cat lines)"
	expect_exit 0 "$XLOG_RECOVER" now.img
	cmp now.img want || fail "$kib KiB: completed to something else"
done
[ $part != 0 ] || fail 'no run was stopped after the first write'

# In words; and an undo file puts back what was done.
cp --sparse=always "$dirty" now.img
rc=0
(
	ulimit -f $((last * 4 / 5))
	trap '' XFSZ
	exec "$XLOG_RECOVER" -z undo now.img
) >out 2>err || rc=$?
[ $rc = 12 ] || { cat err >&2; fail "exit status $rc"; }
shows 'now.img: dirty: writing was cut off, run it again'
shows 'to undo: xlog-recover --undo-apply=undo now.img'
expect_exit 0 "$XLOG_RECOVER" --undo-apply=undo now.img
cmp now.img "$dirty" || fail 'not undone'

# A signal between two reads, or two writes. What leaks cannot be looked for beside strace.
need_command strace
strace -o /dev/null true 2>/dev/null || skip 'needs the right to trace'
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
for n in 2 5 9; do
	cp --sparse=always "$dirty" now.img
	remember now.img
	for json in '' -J; do
		# shellcheck disable=SC2086 # no option is no word
		expect_exit 32 strace -f -qq -o /dev/null -P "$PWD/now.img" \
			-e inject=pread64:signal=TERM:when=$n \
			"$XLOG_RECOVER" -z none $json now.img
		says interrupted
		is_untouched now.img
		[ ! -e none ] || fail "a signal at read $n: an undo file was left"
		[ -z "$json" ] || tail -n 1 out | jq -e \
			'.type == "result" and .exit == 32 and .wrote == false' \
			>/dev/null || fail "a signal at read $n: no result"
	done
done
part=0
for n in 1 2 3 5 9 20; do
	cp --sparse=always "$dirty" now.img
	rc=0
	# without io_uring each write is a call
	strace -f -qq -o /dev/null -e trace=pwrite64,io_uring_setup \
		-e inject=io_uring_setup:error=ENOSYS \
		-e inject=pwrite64:signal=TERM:when=$n \
		"$XLOG_RECOVER" -m 4 now.img >out 2>err || rc=$?
	case $rc in
	12)	part=$((part + 1))
		says interrupted
		shows 'writing was cut off, run it again' ;;
	0)	shows 'clean (unmount record' ;;
	*)	cat err >&2; fail "a signal at write $n: exit status $rc" ;;
	esac
	expect_exit 0 "$XLOG_RECOVER" now.img
	cmp now.img want || fail "a signal at write $n: completed to something else"
done
[ $part != 0 ] || fail 'no signal came between two writes'
