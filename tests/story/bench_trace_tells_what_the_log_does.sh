#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-bench --trace: with one job and the same seed the same events twice, in
# an order that makes sense; those that were asked for and no others; an event
# that is none, and a file that cannot be written, are told.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"

run() {	# <option>...
	expect_exit 0 timeout 60 "$XLOG_BENCH" -q -j1 --mem=400m -n 2000 \
		--fsync-every=90 "$@"
	[ ! -s out ] && [ ! -s err ] || fail "$*: not quiet"
}

run -s 5 --trace=one
run -s 5 --trace=other
run -s 6 --trace=third
for f in one other third; do
	cut -d ' ' -f 2- $f >$f.events
done
diff one.events other.events | head -n 5 >&2
cmp -s one.events other.events || fail 'the same seed, and other events'
! cmp -s one.events third.events || fail 'another seed, and the same events'

# every line has the form that the manual promises, and time does not go back
! grep -vnE '^[0-9]+\.[0-9]{9} [0-9]+ x(fs|log)_[a-z_]+( [a-z_]+=([^ "]+|"[^"]*"))+$' \
	one >&2 || fail 'lines of another form'
cut -d ' ' -f 1 one | sort -c -n || fail 'time goes back'

# What has to come before what, for each of its kind: the state of it is
# remembered by "key", and an event is allowed in some states only.
awk '
function value(key,  i) {
	for (i = 4; i <= NF; i++)
		if (index($i, key "=") == 1)
			return substr($i, length(key) + 2)
	print NR ": no " key ": " $0; bad = 1; exit 1
}
function step(what, from, to) {
	if (index(" " from " ", " " state[what] + 0 " ") == 0) {
		print NR ": in state " state[what] + 0 ": " $0; bad = 1; exit 1
	}
	state[what] = to
}
{ count[$3]++ }
# tickets: asked for, got, committed, given back
$3 == "xfs_log_reserve"		{ step("t" value("tid"), "0", 1) }
$3 == "xfs_log_reserve_exit"	{ step("t" value("tid"), "1", 2) }
$3 == "xfs_trans_alloc"		{ step("t" value("tid"), "2", 3) }
$3 == "xfs_trans_commit"	{ step("t" value("tid"), "3", 4) }
$3 == "xlog_cil_commit"		{ step("t" value("tid"), "4", 5); in_seq[value("seq")]++ }
$3 == "xfs_log_ticket_ungrant" && value("ocnt") > 0 { step("t" value("tid"), "2 5", 6) }
# iclogs: once round
$3 == "xlog_iclog_switch"	{ step("i" value("iclog"), "0", 1) }
$3 == "xlog_iclog_syncing"	{ step("i" value("iclog"), "1", 2) }
$3 == "xlog_iclog_sync"		{ step("i" value("iclog"), "2", 3) }
$3 == "xlog_iclog_write"	{ step("i" value("iclog"), "3", 4) }
$3 == "xlog_iclog_sync_done"	{ step("i" value("iclog"), "4", 5) }
$3 == "xlog_iclog_callbacks_start" { step("i" value("iclog"), "5", 6) }
$3 == "xlog_iclog_callback"	{ step("i" value("iclog"), "6", 6) }
$3 == "xlog_iclog_callbacks_done" { step("i" value("iclog"), "6", 7) }
$3 == "xlog_iclog_activate"	{ step("i" value("iclog"), "7", 0) }
# checkpoints: those with commits in them, one after the other
$3 == "xlog_cil_push" {
	if (value("seq") != pushed + 1 || !in_seq[value("seq")]) {
		print NR ": out of sequence: " $0; bad = 1; exit 1
	}
	pushed = value("seq")
	step("c" pushed, "0", 1)
}
$3 == "xlog_cil_committed"	{ step("c" value("seq"), "1", 2) }
# items: pinned, in the AIL, unpinned, written back
$3 == "xfs_inode_pin"		{ pins[value("ino")]++ }
$3 == "xfs_inode_unpin"		{ pins[value("ino")]-- }
$3 == "xfs_ail_insert"		{ step("a" value("type") value("id"), "0", 1) }
$3 == "xfs_ail_move"		{ step("a" value("type") value("id"), "1", 1) }
$3 == "xfs_ail_delete"		{ step("a" value("type") value("id"), "1", 0) }
$3 == "xfs_ail_push" && value("type") == "inode" && pins[value("id")] {
	print NR ": pinned, and written back: " $0; bad = 1; exit 1
}
END {
	if (bad)
		exit 1
	for (e in state)
		if (e ~ /^[ia]/ && state[e] || e ~ /^c/ && state[e] != 2 ||
		    e ~ /^t/ && state[e] != 6) {
			print "left over: " e " in state " state[e]; exit 1
		}
	if (count["xfs_trans_commit"] != 2000 + 2 || count["xlog_cil_commit"] != 2000 + 2 ||
	    count["xlog_cil_push"] != int(2000 / 90) + 1 + 2 ||
	    count["xfs_log_umount_write"] != 1) {
		print "not as many as there were"; exit 1
	}
}' one >broken || { cat broken >&2; fail 'an order that makes no sense'; }

# those that were asked for, also by pattern
run --trace=some,xfs_trans_commit,'xfs_log_*'
cut -d ' ' -f 3 some | sort -u >names
grep -qx xfs_trans_commit names && grep -qx xfs_log_force names || fail "$(cat names)"
! grep -vE '^xfs_trans_commit$|^xfs_log_' names >&2 || fail 'others as well'
[ "$(grep -c xfs_trans_commit some)" = 2002 ] || fail 'not every commit'
# shellcheck disable=SC2094 # it is not read from
expect_exit 8 "$XLOG_BENCH" -q -j1 --mem=400m -n 2000 --trace=some
says 'some: File exists'
run --trace=some,xfs_log_umount_write --force=output
[ "$(wc -l <some)" = 1 ] || fail 'not replaced'

# with threads, in both policies, and where power fails
for options in '-j4' '-j4 -o nodelaylog' '-j3 --crash-after=9iclogs'; do
	# shellcheck disable=SC2086 # several options
	expect_exit 0 timeout 60 "$XLOG_BENCH" -q --mem=400m -n 3000 \
		--fsync-every=50 $options --trace=threads --force=output
	[ "$(grep -c xfs_trans_commit threads)" -gt 400 ] || fail "$options: no commits"
	cut -d ' ' -f 1 threads | sort -c -n || fail "$options: time goes back"
done

# the end of it is there, too, when the program dies
(
	ulimit -c 0
	exec "$XLOG_BENCH" -j1 -T 60m --interval=1s --mem=400m --fsync-every=500 \
		--trace=dead,xlog_iclog_write >out 2>err
) &
pid=$!
while [ ! -s out ]; do
	kill -0 $pid || { cat err >&2; fail 'it ended'; }
	sleep 0.05
done
kill -s ABRT $pid
rc=0
wait $pid 2>/dev/null || rc=$?
[ $rc = 134 ] || fail "SIGABRT: exit status $rc"
[ -s dead ] && [ $(($(stat -c %s dead) % 262144)) != 0 ] || fail 'the end is missing'

expect_exit 16 "$XLOG_BENCH" --mem=400m --trace=no,xfs_log_force,xfs_logforce
says 'unknown event: xfs_logforce'
[ ! -e no ] || fail 'a file all the same'
expect_exit 16 "$XLOG_BENCH" --mem=400m --trace=no,
says 'empty element'
expect_exit 8 "$XLOG_BENCH" -q --mem=400m -n 10 --trace=none/such
says 'none/such: No such file'
expect_exit 8 "$XLOG_BENCH" -q --mem=400m -n 10 --trace=/dev/full --force=output
says '/dev/full: No space left on device'

# the same names are static probes, where they were built in
if command -v readelf >/dev/null && readelf -n "$XLOG_BENCH" | grep stapsdt >/dev/null; then
	readelf -n "$XLOG_BENCH" | sed -n 's/^ *Name: //p' | sort -u >probes
	cut -d ' ' -f 3 one | sort -u >names
	[ -z "$(comm -13 probes names)" ] || fail "no probes: $(comm -13 probes names)"
fi

# the manual tells of each
sed -nE 's/^\tE\((x[a-z_]+),.*/\1/p' "$ROOT/libxlog/obs/trace_events.h" >all
[ "$(wc -l <all)" -gt 50 ] || fail 'the table of events has another form'
while read -r name; do
	grep -qw "$name" "$ROOT/man/xlog-bench.8" || fail "not in the manual: $name"
done <all
