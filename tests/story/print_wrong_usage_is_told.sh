#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wrong arguments: exit status 16, a line on stderr that names the fault,
# nothing on stdout. What is not there yet is refused by its name.
. "$ROOT/tests/lib/story.sh"
image=$(unpacked "$IMAGES/linux618/rmap-intents.img.zst")

wrong() {	# <words that the message has> <argument>...
	local words=$1

	shift
	expect_exit 16 "$XLOG_PRINT" "$@"
	[ ! -s out ] || fail "$*: output on stdout"
	grep -qF -- "$words" err || { cat err >&2; fail "$*: no word of '$words'"; }
	grep -q '^xlog-print: ' err || fail "$*: the message does not name the tool"
}

wrong 'which device'
wrong 'one device' a b
wrong "unrecognized option '--bogus'" --bogus "$image"
wrong 'invalid option' -Q "$image"
wrong 'requires an argument' --type
for later in history timeline obfuscate; do
	wrong "--$later is not supported yet" --$later "$image"
done
wrong 'exclude each other' -t -d "$image"
wrong 'exclude each other' --check -S "$image"
wrong 'exclude each other' -C file --explain "$image"
wrong 'exclude each other' --start=1 --from=1:1 "$image"
wrong '--check: unknown value: fool' --check=fool "$image"
wrong '--stats: unknown value: size' --stats=size "$image"
wrong '--stats: unknown value: type,ag' -ztype,ag "$image"
wrong '--hex-order: unknown value' --hex-order=pdp "$image"
wrong '--color: unknown value' --color=sometimes "$image"
wrong '--progress: unknown value' --progress=much "$image"
wrong '--lock: unknown value' --lock=maybe "$image"
wrong '--force: unknown value: all' --force=output,all "$image"
wrong 'empty element' --force=output, "$image"
wrong 'unknown type: inodes' --type=buf,inodes "$image"
wrong 'empty element' --type= "$image"
for n in '' -1 +1 ' 1' 1x 0x 1e3 18446744073709551616 99999999999999999999; do
	wrong '--ino: not a valid number' --ino="$n" "$image"
	wrong '--limit: not a valid number' --limit="$n" "$image"
done
wrong '--tid: not a valid number' --tid=4294967296 "$image"
wrong '--ag: not a valid number' --ag=0x100000000 "$image"
wrong '--start: not a valid number' --start=-1 "$image"
wrong '--block: not a valid number' --block=1/2/3 "$image"
wrong '--block: not a valid number' --block=/3 "$image"
for lsn in '' 1 1: :1 1:2:3 1,2 -1:2 1:4294967296 4294967296:0 1:0x; do
	wrong '--from: not CYCLE:BLOCK' --from="$lsn" "$image"
	wrong '--to: not CYCLE:BLOCK' --to="$lsn" "$image"
done
wrong '--offset: not a size' --offset=1q "$image"
wrong '--offset: not a size' --offset=1kb "$image"
wrong '--offset: not a size' --offset=16e "$image"
for time in 0 '' 1h -5; do
	wrong '--interval: not a time' --interval="$time" "$image"
done
LOCK_BLOCK_DEVICE=perhaps wrong 'LOCK_BLOCK_DEVICE' "$image"

# what only the log itself shows to be wrong
wrong '--start: the log ends at block 24600' --start=24600 "$image"
wrong '--from: the log ends at block 24600' -t --from=1:24600 "$image"
wrong '--to: the log ends at block 24600' -t --to=9:99999 "$image"
wrong '--block: there is no block 4/0' -t --block=4/0 "$image"
wrong '--block: there is no block 0/8192' -t --block=0/8192 "$image"

# and what is right
expect_exit 0 "$XLOG_PRINT" --help
grep -q 'Exit status' out
expect_exit 0 "$XLOG_PRINT" --version
grep -qE '^xlog-print [0-9.]+ \(libxlog [0-9.]+, formats v4 v5, log v1 v2\)$' out
expect_exit 0 "$XLOG_PRINT" -V -v
grep -q 'log-incompat' out
expect_exit 0 "$XLOG_PRINT" --type=list
[ "$(wc -l <out)" = 23 ] || fail 'not 23 types'
while read -r type _; do
	expect_exit 0 "$XLOG_PRINT" -t --type="$type" "$image"
done <<<"$("$XLOG_PRINT" --type=list)"
# all that is accepted and needs no more
expect_exit 0 "$XLOG_PRINT" -t -f -x --utc --quiet --color --lock=no -c \
	--progress=none --interval=5m --offset=0 --force=uuid,features,crc,mounted-ro \
	--rtdev="$image" -i -b -q -a -o -n --limit=0x1 -s 010 "$image"
