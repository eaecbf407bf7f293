#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wrong arguments: exit status 16, a line on stderr that names the fault,
# nothing on stdout, and nothing written. What is not there yet is refused by
# its name, and so is what would be without an effect.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
remember "$image"

wrong() {	# <words that the message has> <argument>...
	local words=$1

	shift
	expect_exit 16 "$XLOG_RECOVER" "$@"
	[ ! -s out ] || fail "$*: output on stdout"
	says "$words"
	grep -q '^xlog-recover: ' err || fail "$*: the message does not name the tool"
}

wrong 'which device'
wrong 'one device' a b
wrong "unrecognized option '--bogus'" --bogus "$image"
wrong 'invalid option' -Q "$image"
wrong 'requires an argument' --target
for later in overlay=f patch=f patch-apply=f exit-changed codes=fsck progress-fd; do
	wrong "--${later%=*} is not supported yet" --$later "$image"
done
wrong '--overlay is not supported yet' -O f "$image"
wrong '--exit-changed is not supported yet' -e "$image"
wrong '--progress-fd is not supported yet' -C0 "$image"
wrong '--force=mounted-ro is not supported yet' --force=mounted-ro "$image"
wrong '--force=crc is not supported yet' --force=uuid,crc "$image"

# what contradicts itself
wrong 'exclude each other' -n --target=t "$image"
wrong 'exclude each other' -L --save-log=l --restore-log=l "$image"
wrong 'exclude each other' --undo-apply=u --restore-log=l "$image"
for job in '-L --save-log=l' --restore-log=l --undo-apply=u; do
	# shellcheck disable=SC2086 # words
	for with in -n --target=t; do
		wrong 'exclude each other' $job $with "$image"
	done
	# shellcheck disable=SC2086 # words
	for with in --explain --stop-at=#1 --intents=refuse --iunlinks=leave \
		    --order=auto --verify=reread -m1; do
		wrong 'is about replay' $job $with "$image"
	done
done
wrong 'exclude each other' --undo-apply=u -z v "$image"
wrong 'exclude each other' --undo-apply=u --save-log=l "$image"
wrong 'exclude each other' --restore-log=u --save-log=l "$image"
wrong 'save it with --save-log' -L "$image"
wrong '-n leaves the device as it is' -n -z u "$image"
wrong '--explain leaves the device as it is' --explain -z u "$image"
wrong '--target leaves the device as it is' --target=t -z u "$image"
wrong '--stop-at: only with -n or --target' --stop-at=1:2 "$image"
wrong '--stop-at: only with -n or --target' --stop-at='#1' "$image"
wrong '--intents=skip: only with -n or --target' --intents=skip "$image"
for order in le be; do
	wrong "--order: only 'auto' without -x" -n --order=$order "$image"
done
wrong 'XLOG_UNDO_DIR is not set' -z '' "$image"
XLOG_UNDO_DIR='' wrong 'XLOG_UNDO_DIR is not set' --undo= "$image"

# values
wrong '--intents: unknown value' --intents=drop "$image"
wrong '--iunlinks: unknown value' --iunlinks=free "$image"
wrong '--order: unknown value' --order=pdp "$image"
wrong '--verify: unknown value' --verify=no "$image"
wrong '--color: unknown value' --color=sometimes "$image"
wrong '--progress: unknown value' --progress=much "$image"
wrong '--lock: unknown value' --lock=maybe "$image"
wrong '--force: unknown value: all' --force=output,all "$image"
wrong 'empty element' --force=output, "$image"
for n in '' 0 -1 1x 17592186044416; do
	wrong '--maxmem: not a valid number' -n --maxmem="$n" "$image"
done
for lsn in '' 1 1: :1 1:2:3 '1#2' -1:2 1:4294967296; do
	wrong '--stop-at: not CYCLE:BLOCK' -n --stop-at="$lsn" "$image"
done
for n in '#' '#-1' '#1x' '##1'; do
	wrong '--stop-at: not a valid number' -n --stop-at="$n" "$image"
done
wrong 'no checkpoint #0' -n --stop-at='#0' "$image"
wrong '--offset: not a size' --offset=1q "$image"
for time in 0 '' 1h -5; do
	wrong '--interval: not a time' -t "$time" "$image"
done
LOCK_BLOCK_DEVICE=perhaps wrong 'LOCK_BLOCK_DEVICE' "$image"
is_untouched "$image"
for file in t l u v f; do
	[ ! -e $file ] || fail "$file was made"
done

# and what is right
expect_exit 0 "$XLOG_RECOVER" --help
grep -q 'Exit status' out
expect_exit 0 "$XLOG_RECOVER" --version
grep -qE '^xlog-recover [0-9.]+ \(libxlog [0-9.]+, formats v4 v5, log v1 v2\)$' out
expect_exit 0 "$XLOG_RECOVER" -V -v
grep -q 'log-incompat' out
expect_exit 4 "$XLOG_RECOVER" -n -a -p -y -f -x --color --lock=no --verify=write \
	--progress=none -t 5m -m 64 --offset=0 --force=uuid,features,output,changed \
	--order=auto --intents=finish --iunlinks=process -r "$image" "$image"
is_untouched "$image"
