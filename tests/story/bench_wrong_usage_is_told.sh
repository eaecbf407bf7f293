#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wrong arguments: exit status 16, a line on stderr that names the fault,
# nothing on stdout. What comes later is refused by its name.
# Release build only: what is parsed is parsed elsewhere, too.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command xfs_db

wrong() {	# <words that the message has> <argument>...
	local words=$1

	shift
	expect_exit 16 timeout 60 "$XLOG_BENCH" "$@"
	[ ! -s out ] || fail "$*: output on stdout"
	says "$words"
	grep -q '^xlog-bench: ' err || fail "$*: the message does not name the tool"
}

wrong 'which device or image'
wrong 'one device' a b
wrong "unrecognized option '--bogus'" --bogus a
wrong '--mem: without a device' --mem=1g a
wrong '--mem and --scratch' --mem=1g --scratch
wrong 'not with --mem' --mem=1g -l logdev=b
wrong 'not with --mem' --mem=1g --offset=1m
wrong 'only with --mem' -l size=64m a
wrong '--mem: not a size' --mem=x
wrong '--mem: not a size' --mem=0
wrong "only 'output' has a meaning" --force=uuid a

for load in create unlink rename truncate mixed fill craft=FILE replay=FILE; do
	wrong "-w ${load%=*} is not supported yet" -w $load a
done
wrong 'unknown workload: fsync' -w fsync a
wrong 'unknown parameter: hot' -w relog,hot=3 a
wrong '-w set: needs a value' -w relog,set a
wrong '-w set: not a valid number' -w relog,set=0 a
wrong 'only of relog and bigtx' -w setattr,set=3 a
for option in j n; do
	for n in x 0 -1 1.5 '' 1k; do
		wrong "-$option: not a valid number" -$option "$n" a
	done
done
wrong '-j: not a valid number' -j 65537 a
wrong '-T: not a time' -T 5x a
wrong '-s: not a valid number' -s x a
wrong '--fsync-every: not a valid number' --fsync-every=x a
for n in 5 ops 5foo 5iclog 99999999999999999999ops -1ops; do
	wrong '--crash-after: not' --crash-after=$n a
done
wrong '--crash: unknown value' --crash=hard --crash-after=1ops a
wrong '--crash-every goes with -n' --crash-every=5 -T 5s a
wrong '--crash-every: not a valid number' --crash-every=0 a
wrong '--crash: when' --crash=torn a
for list in x 101 1,x 5-; do
	wrong '--percentiles: not 0 to 100' --percentiles=$list a
done
wrong 'empty element' --percentiles=5,,6 a
wrong '--interval: not a time' --interval=0 a

wrong '-o: unknown option: noatime' -o noatime a
wrong '-o delaylog: takes no value' -o delaylog=1 a
wrong '-o logbufs: 2 to 8' -o logbufs=1 a
wrong '-o logbufs: not a valid number' -o logbufs=9 a
wrong 'needs a value' -o logbufs a
wrong '-o logbsize: 16k to 256k' -o logbsize=8k a
wrong '-o logbsize: 16k to 256k' -o logbsize=48k a
wrong '-o logbsize: not a size' -o logbsize=512k a
wrong '-o sync: unknown value' -o sync=perhaps a
wrong '-o sync: needs a value' -o sync a
wrong '-o ail: needs a value' -o ail a
for n in 0 x 60001 1.5; do
	wrong '-o ail: not a valid number' -o ail=$n a
done
wrong '--trace: of which load' --trace=f --reservations a
wrong '--trace: unknown event' --trace=f,xfs_none a
for later in rate=1 record=f compare=f tolerance=1 progress=bar rtdev=f; do
	wrong "--${later%=*} is not supported yet" --$later a
done

# what only the filesystem shows to be wrong
wrong 'a transaction has room for' --mem=400m -w bigtx,set=100000
wrong 'each job needs one of its own' --mem=400m -j 100 --verify
wrong 'smaller than the stripe unit' --mem=400m -l su=64k -o logbsize=32k
wrong 'log size' --mem=400m -l size=399m

# and what is right
expect_exit 0 "$XLOG_BENCH" --help
grep -q 'Exit status' out
expect_exit 0 "$XLOG_BENCH" -V
grep -qE '^xlog-bench [0-9.]+ \(libxlog [0-9.]+, formats v4 v5, log v1 v2\)$' out
expect_exit 0 "$XLOG_BENCH" -w list
[ "$(tr '\n' ' ' <out)" = 'setattr relog bigtx fsync-probe ' ] || fail "-w list: $(cat out)"
expect_exit 0 "$XLOG_BENCH" --mem=400m -n 100 -q
[ ! -s out ] && [ ! -s err ]
expect_exit 0 "$XLOG_BENCH" --mem=400m -n 100 -j 100 -l size=16m,su=32k \
	--percentiles=1,2.5 --output=told
[ ! -s out ] || fail 'output on stdout as well'
grep -q 'log 16 MiB v2' told
grep -qE '^commit  +p1 [0-9.]+[mun]?s p2.5 ' told || fail "$(cat told)"
expect_exit 8 "$XLOG_BENCH" --mem=400m -n 100 --output=told

# reservations are those of xfs_db
fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
expect_exit 0 "$XLOG_RECOVER" "$fs"
remember "$fs"
expect_exit 0 "$XLOG_BENCH" --reservations "$fs"
is_untouched "$fs"
[ "$(wc -l <out)" = 28 ] || fail 'not 27 reservations'
xfs_db -r -c logres "$fs" | awk '/^type/ && $2 < 26 { print $4 }' >want
awk 'NR > 1 { print $2 }' out | head -n "$(wc -l <want)" | diff want - >&2 ||
	fail 'others than xfs_db has'
