#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -N shows the geometry in the lines of mkfs.xfs and what sets the smallest
# log; it writes nothing, makes no file and locks nobody out, and refuses what
# would be refused.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_command mkfs.xfs

blank fs 400m
blank log 100m
: >empty
remember fs log empty

# The features of today's Linux that the mkfs.xfs at hand has off, or not.
like_mkfs() {	# <argument>...
	expect_exit 0 "$XLOG_MKFS" -N -m rmapbt=0 -i nrext64=0 "$@"
	grep -v ' minimum=' out >ours
	mkfs.xfs -N -f -m rmapbt=0,bigtime=1,inobtcount=1 -i nrext64=0 "$@" >theirs 2>err ||
		skip "mkfs.xfs does not take $*: $(head -n 1 err)"
	# newer ones show more
	grep -vE ' (exchange|rgcount|zoned)=' theirs | sed 's/, parent=0$//' >known
	diff -u known ours || fail "$*: not the lines of mkfs.xfs"
	is_untouched fs log empty
}

like_mkfs fs
like_mkfs -b size=1k fs
like_mkfs -b size=64k -n size=64k fs
like_mkfs -s size=4k -i size=1024,maxpct=3 fs
like_mkfs -d agcount=3 -l size=65m,su=32k fs
like_mkfs -d su=64k,sw=4,agcount=3 fs
like_mkfs -l logdev=log fs
like_mkfs -l logdev=log,size=70m,su=256k -d size=350m fs

# a file that is missing, empty or too short is taken for what it would be
for file in missing empty fs; do
	expect_exit 0 "$XLOG_MKFS" -N -d size=1g $file
	shows 'blocks=262144, imaxpct=25'
	expect_exit 0 "$XLOG_MKFS" -N -d file,name=$file,size=1g -l name=missing-log,size=80m
	shows 'log      =missing-log            bsize=4096   blocks=20480, version=2'
done
[ ! -e missing ] && [ ! -e missing-log ] || fail 'a file was made'
is_untouched fs log empty

# why the log cannot be smaller
line() {	# <line> <argument>...
	local want=$1

	shift
	expect_exit 0 "$XLOG_MKFS" -N -q "$@"
	[ "$(tail -n 1 out)" = "         =                       $want" ] ||
		fail "$*: $(tail -n 1 out)"
}
line 'minimum=16384 blks (floor 64 MiB), need=3075 blks from tr_itruncate x8' fs
line 'minimum=3075 blks, need=3075 blks from tr_itruncate x8' -x fs
# which is where it ends
need=$(sed -nE 's/.* need=([0-9]+) .*/\1/p' out)
expect_exit 0 "$XLOG_MKFS" -N -x -l size="${need}b" fs
expect_exit 16 "$XLOG_MKFS" -N -x -l size=$((need - 1))b fs
says "log size $((need - 1)) blocks too small, minimum size is $need blocks"

# what somebody has locked is looked at all the same
exec 9<fs
flock 9
expect_exit 0 "$XLOG_MKFS" -N fs
exec 9<&-
expect_exit 0 "$XLOG_MKFS" -N --log-only -m uuid=c68ab222-0000-1111-2222-333344445555 \
	-l cycle=3 log
shows 'cycle=3'
is_untouched fs log empty

# nothing is opened for writing
if command -v strace >/dev/null && ! has_asan "$XLOG_MKFS"; then
	strace -f -e trace=openat,open,creat,pwrite64,pwritev,ftruncate,fallocate,ioctl,flock \
		-o calls "$XLOG_MKFS" -N -d size=1g -l logdev=log,size=70m fs >out 2>err
	if grep -E 'O_(WRONLY|RDWR|CREAT)|pwrite|ftruncate|fallocate|BLKDISCARD|flock\(' calls; then
		fail '-N opens for writing, or writes'
	fi
fi
