#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --save-log saves the log before anything else, so that xlog-print can show it.
# -L discards a log, but only a saved one; --restore-log puts it back, byte for
# byte, and only onto its own filesystem.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
need_command jq
dirty=$(unpack "$IMAGES/linux618/bs1k.img.zst")
cp --sparse=always "$dirty" now.img
remember "$dirty" now.img

# with a dry run nothing else is written
expect_exit 4 "$XLOG_RECOVER" -n --save-log=log "$dirty"
shows "$dirty: log saved in log"
is_untouched "$dirty"
"$XLOG_PRINT" -t "$dirty" >want || true
"$XLOG_PRINT" -t log >got || true
diff <(sed 1d want) <(sed 1d got) >differences ||
	{ head differences >&2; fail 'the saved log shows something else'; }

# what is there is not replaced, and then nothing is done
remember log
for option in '' -L; do
	# shellcheck disable=SC2086 # no option is no word
	expect_exit 8 "$XLOG_RECOVER" $option --save-log=log now.img
	is_untouched log now.img
	# shellcheck disable=SC2086 # no option is no word
	expect_exit 8 "$XLOG_RECOVER" $option --save-log=nowhere/log now.img
	is_untouched now.img
done

# discarded: clean, and told to be damaged
expect_exit 0 "$XLOG_RECOVER" -L --save-log=log2 -z undo now.img
shows 'now.img: log discarded, run xfs_repair; it is saved in log2'
says 'xfs_repair'
cmp log log2 || fail 'it was not saved as it was'
expect_exit 0 "$XLOG_PRINT" --check=full now.img
expect_exit 0 "$XLOG_RECOVER" now.img
shows 'nothing to replay'
cp --sparse=always now.img zeroed.img

# put back
expect_exit 0 "$XLOG_RECOVER" --restore-log=log2 now.img
shows 'now.img: log put back from log2'
cmp now.img "$dirty" || fail 'not as it was'
cp --sparse=always zeroed.img now.img
expect_exit 0 "$XLOG_RECOVER" --undo-apply=undo now.img
cmp now.img "$dirty" || fail 'not undone'
# compressed, and without the file beside it: the records tell
cp --sparse=always zeroed.img now.img
zstd -q log2 -o alone.zst
expect_exit 0 "$XLOG_RECOVER" -J --restore-log=alone.zst now.img
jq -se 'map(.type) == ["header", "result"] and .[1].exit == 0 and
	.[1].state == null' out >/dev/null || { cat out >&2; fail 'JSON'; }
cmp now.img "$dirty" || fail 'not as it was, from a compressed log'
# and what xlog-print has copied is as good
"$XLOG_PRINT" -C copy "$dirty" >/dev/null
cp --sparse=always zeroed.img now.img
expect_exit 0 "$XLOG_RECOVER" -q --restore-log=copy now.img
[ ! -s out ] || fail '-q: output'
cmp now.img "$dirty" || fail 'not as it was, from a copy of xlog-print'

# of another filesystem, or no log
other=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
remember "$other"
expect_exit 4 "$XLOG_RECOVER" --restore-log=log2 "$other"
rm log2.xlog.json
expect_exit 4 "$XLOG_RECOVER" --restore-log=log2 "$other"
is_untouched "$other"
remember now.img
head -c 1000000 log >short
for file in short missing now.img; do
	rc=0
	"$XLOG_RECOVER" --restore-log=$file now.img >out 2>err || rc=$?
	[ $rc = 4 ] || [ $rc = 8 ] || fail "$file: exit status $rc"
	[ -s err ] || fail "$file: not a word"
	is_untouched now.img
done
echo '{}' >log.xlog.json
expect_exit 4 "$XLOG_RECOVER" --restore-log=log now.img
says 'log.xlog.json'
is_untouched now.img

# before a replay, and of an external log
expect_exit 0 "$XLOG_RECOVER" --save-log=log3 now.img
shows 'now.img: clean (unmount record'
cmp log log3
fs=$(unpack "$IMAGES/linux618/extlog.img.zst")
logdev=$(unpack "$IMAGES/linux618/extlog.img.logdev.zst")
cp --sparse=always "$logdev" ext.log
remember "$fs"
expect_exit 0 "$XLOG_RECOVER" -L --save-log=log4 -l ext.log "$fs"
is_untouched "$fs"
cmp -s ext.log "$logdev" && fail 'the external log was not discarded'
expect_exit 0 "$XLOG_RECOVER" --restore-log=log4 -l ext.log "$fs"
cmp ext.log "$logdev" || fail 'the external log is not as it was'
is_untouched "$fs"
