#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wrong arguments: exit status 16, a line on stderr in the words of mkfs.xfs
# that names the fault, nothing on stdout, and nothing written. What mkfs.xfs
# has and this has not is refused by its name.
# Release build only: the parser has unit tests.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
blank fs 400m
remember fs

wrong() {	# <words that the message has> <argument>...
	local words=$1

	shift
	expect_exit 16 timeout 60 "$XLOG_MKFS" "$@"
	[ ! -s out ] || fail "$*: output on stdout"
	says "$words"
	grep -q '^xlog-mkfs: ' err || fail "$*: the message does not name the tool"
}

wrong 'which device'
wrong 'one device' fs b
wrong "unrecognized option '--bogus'" --bogus fs
wrong 'invalid option' -Q fs
wrong 'requires an argument' -d
wrong '-d name option respecified' -d name=a fs
wrong '-l logdev option respecified' -l logdev=a -l logdev=b fs

# names: unknown, and known but not supported
for section in b s d i n m l; do
	wrong "unknown option -$section bogus" -$section bogus fs
	wrong "unknown option -$section bogus" -$section bogus=1 fs
	wrong "unknown option -$section " -$section '' fs
	wrong "unknown option -$section " -$section , fs
done
unsupported() {	# <section> <name>...
	local section=$1 name

	shift
	for name; do
		wrong "-$section $name is not supported" "-$section" "$name" fs
		wrong "-$section $name is not supported" "-$section" "$name=0" fs
	done
}
unsupported b log
unsupported s log sectlog
unsupported d sectsize sectlog unwritten rtinherit projinherit extszinherit \
	cowextsize daxinherit concurrency
unsupported i align attr log perblock projid32bit max_atomic_write
unsupported n log version
unsupported m autofsck metadir uquota gquota pquota uqnoenforce gqnoenforce \
	pqnoenforce
unsupported l sectlog concurrency order
wrong '-l concurrency is not supported yet' -l concurrency=4 fs
wrong '-c is not supported yet' -c options=file fs
wrong '-p is not supported' -p proto fs
wrong '-r is not supported: no realtime section is made' -r rtdev=/dev/sdz fs
wrong '-r is not supported' --rtdev=/dev/sdz fs
# version 4, and what only that leaves open
wrong '-m crc=0 is not supported: version 4 is not made' -m crc=0 fs
wrong 'Directory ftype field always enabled' -n ftype=0 fs
wrong 'V2 logs always enabled' -l version=1 fs
wrong 'Lazy superblock counters always enabled' -l lazy-count=0 fs

# once is enough
wrong '-b size option respecified' -b size=4k,size=4k fs
wrong '-d size option respecified' -d size=400m -d size=400m fs
wrong '-m crc option respecified' -m crc,finobt,crc=1 fs
wrong '-L option respecified' -L a -L b fs

# values
for name in 'b size' 's size' 's sectsize' 'd size' 'd agcount' 'd agsize' 'd su' \
	    'd sw' 'd sunit' 'd swidth' 'd name' 'i size' 'i maxpct' 'n size' \
	    'm uuid' 'l size' 'l version' 'l sunit' 'l su' 'l logdev' 'l name' \
	    'l sectsize' 'l agnum' 'l cycle'; do
	wrong "-$name option requires a value" "-${name% *}" "${name#* }" fs
	wrong "-$name option requires a value" "-${name% *}" "${name#* }=" fs
done
for n in x 1x 1.5g 512mb -1 '' ' 1' 99999999999999999999 16e 1kk k 0x; do
	wrong 'for -d size option' -d "size= $n" fs
	[ -z "$n" ] || wrong "Invalid value $n for -d size option. Not a valid value or illegal suffix" \
		-d "size=$n" fs
done
wrong 'Not a valid value or illegal suffix' -b size=8s fs
wrong 'Not a valid value or illegal suffix' -s size=1b fs
wrong 'Invalid value 4k for -d agcount option. Unit suffixes are not allowed.' \
	-d agcount=4k fs
wrong 'Unit suffixes are not allowed.' -i size=1k fs
wrong 'Unit suffixes are not allowed.' -d sunit=1k,swidth=1k fs
for flag in 'm crc' 'm finobt' 'm inobtcount' 'm rmapbt' 'm reflink' 'm bigtime' \
	    'i sparse' 'i nrext64' 'i exchange' 'n parent' 'd noalign' 'd file' \
	    'l internal' 'l file'; do
	wrong "Invalid value 2 for -$flag option. Value is too large." \
		"-${flag% *}" "${flag#* }=2" fs
done
wrong 'Value is too small.' -b size=256 fs
wrong 'Value is too large.' -b size=128k fs
wrong 'Value must be a power of 2.' -b size=3000 fs
wrong 'Minimum block size for CRC enabled filesystems is 1024 bytes.' -b size=512 fs
wrong 'Value is too large.' -s size=64k fs
wrong 'Value is too small.' -d size=15m fs
wrong 'Value is too small.' -d agcount=0 fs
wrong 'Value is too small.' -d agsize=1m fs
wrong 'Value is too large.' -d agsize=2t fs
wrong 'Value is too small.' -i size=128 fs
wrong 'Minimum inode size for CRCs is 512 bytes' -i size=256 fs
wrong 'Value is too large.' -i maxpct=101 fs
wrong 'Value is too small.' -n size=2k fs
wrong 'Value is too small.' -l size=1m fs
wrong 'Value is too large.' -l size=2g fs
wrong 'Value is too large.' -l su=257k fs
wrong 'Value is too small.' -l cycle=0 fs
wrong 'Invalid value much-too-long for -L option' -L much-too-long fs
for uuid in x c68ab222-0000-1111-2222-33334444555 \
	    c68ab222-0000-1111-2222-3333444455555 \
	    c68ab222x0000-1111-2222-333344445555 \
	    c68ab222-0000-1111-2222-33334444555g \
	    00000000-0000-0000-0000-000000000000; do
	wrong "Invalid value $uuid for -m uuid option" -m uuid="$uuid" fs
done

# what contradicts itself
for both in 's size=512 sectsize=512' 'd agcount=4 agsize=100m' 'd su=64k sunit=128' \
	    'd sw=1 swidth=128' 'd noalign su=64k' 'd noalign sunit=128' \
	    'l su=32k sunit=64' 'l logdev=a name=b' 'l logdev=a agnum=1' \
	    'l logdev=a internal' 'l name=a internal=1' 'l file internal' \
	    'l sectsize=512 internal'; do
	read -r section a b <<<"$both"
	wrong 'Cannot specify both' "-$section" "$a,$b" fs
	says "-$section ${a%=*}"
	says "-$section ${b%=*}"
done
wrong 'both data su and data sw options must be specified' -d su=64k fs
wrong 'both data su and data sw options must be specified' -d sw=4 fs
wrong 'both data sunit and data swidth options must be specified' -d sunit=128 fs
wrong 'if -d file then -d size is required' -d file fs
wrong '-l internal=0: no log device is named' -l internal=0 fs
wrong '-l file: no log device is named' -l file fs
wrong 'inode btree counters not supported without finobt support' \
	-m finobt=0,inobtcount=1 fs
wrong '-N leaves the device as it is' -N -z undo fs
wrong 'XLOG_UNDO_DIR is not set' -z '' fs
wrong '--for: only with --log-only' --for=fs log
wrong '-d size has no meaning with --log-only' --log-only -d size=400m fs
wrong '-l agnum has no meaning with --log-only' --log-only -l agnum=1 fs
wrong '-m rmapbt has no meaning with --log-only' --log-only -m rmapbt fs
wrong '-L has no meaning with --log-only' --log-only -L a fs
wrong '--offset has no meaning with --log-only' --log-only --offset=1m fs
wrong 'no XFS filesystem here' --log-only fs

# common options, the environment
wrong '--color: unknown value' --color=sometimes fs
wrong '--progress: unknown value' --progress=much fs
wrong '--lock: unknown value' --lock=maybe fs
wrong "--force: only 'output' has a meaning here" --force=uuid fs
wrong '--force: unknown value: all' --force=all fs
wrong '--offset: not a size' --offset=1q fs
wrong '--interval: not a time' --interval=0 fs
LOCK_BLOCK_DEVICE=perhaps wrong 'LOCK_BLOCK_DEVICE' fs
for epoch in x 1x 1.5 ' ' 99999999999999999999; do
	SOURCE_DATE_EPOCH=$epoch wrong 'SOURCE_DATE_EPOCH: not a valid number' fs
done
SOURCE_DATE_EPOCH=16299260425 wrong 'SOURCE_DATE_EPOCH: no time of an inode' fs
SOURCE_DATE_EPOCH=2147483648 wrong 'no time of an inode' -m bigtime=0 fs
DETERMINISTIC_SEED=2 wrong 'DETERMINISTIC_SEED: only 1 is supported' fs
is_untouched fs
for file in a b undo log; do
	[ ! -e $file ] || fail "$file was made"
done

# and what is right
expect_exit 0 "$XLOG_MKFS" --help
grep -q 'Exit status' out
expect_exit 0 "$XLOG_MKFS" --version
grep -qE '^xlog-mkfs [0-9.]+ \(libxlog [0-9.]+, formats v4 v5, log v1 v2\)$' out
right() {
	expect_exit 0 "$XLOG_MKFS" -N "$@" fs
}
for n in 419430400 400m 400M 409600K 819200s 102400b 0x19000000 03100000000 \
	 0x64000K; do
	right -d size=$n
	grep -q 'blocks=102400, ' out || fail "-d size=$n: $(cat out)"
done
# units are those of this filesystem, wherever they are said
right -d size=25600b -b size=16k
grep -q 'bsize=16384  blocks=25600, ' out || fail "blocks of 16k: $(cat out)"
right -l size=16384s -s size=4k
grep -q 'bsize=4096   blocks=16384, version=2' out || fail "sectors of 4k: $(cat out)"
right -d su=64k,sw=4,agcount=4 -l internal=1,size=64m -m crc,finobt=,rmapbt=0 -i nrext64 \
	-n ftype,size=8k -l version=2,lazy-count -x -K -f -q -v --lock=no --color=never
grep -q 'sunit=16     swidth=64 blks' out || fail "stripes: $(cat out)"
right -d sunit=128,swidth=512,agcount=4
grep -q 'sunit=16     swidth=64 blks' out || fail "stripes: $(cat out)"
SOURCE_DATE_EPOCH='' DETERMINISTIC_SEED='' right
SOURCE_DATE_EPOCH=-2147483648 DETERMINISTIC_SEED=0 right
expect_exit 0 "$XLOG_MKFS" -N -d name=fs,size=400m
is_untouched fs
