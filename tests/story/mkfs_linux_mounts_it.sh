#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Linux mounts what xlog-mkfs makes, writes to it and unmounts it; xfs_repair
# finds nothing wrong before or after. In files and on block devices, with the
# log inside and outside.
# Release build only: it is about what the kernel sees.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
. "$ROOT/tests/lib/mkfs.sh"
need_loop
need_kernel_xfs
need_command xfs_repair blkid

loop=() mounted=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ ${#loop[@]} = 0 ] || losetup -d "${loop[@]}" || true
}
trap cleanup EXIT
mkdir mnt

attach() {	# <file>...
	local f

	for f; do
		loop+=("$(losetup --find --show "$f")")
	done
}

detach() {
	losetup -d "${loop[@]}"
	loop=()
}

sound() {
	xfs_repair -n ${log:+-l log} fs >repair 2>&1 || {
		tail -n 20 repair >&2
		fail "$what: xfs_repair -n complains"
	}
}

works() {	# on the loop devices: mount, write, unmount
	local d

	timeout 60 mount -t xfs ${log:+-o logdev="${loop[1]}"} "${loop[0]}" mnt ||
		fail "$what: not mounted: $(dmesg | tail -n 3)"
	mounted=1
	for d in 1 2 3; do
		mkdir mnt/$d
		for f in $(seq 40); do
			echo "$d $f" >mnt/$d/"a file of some name, number $f"
		done
	done
	head -c 3m /dev/urandom >mnt/random
	rm -r mnt/2
	cp mnt/random copy
	timeout 60 umount mnt
	timeout 60 mount -t xfs ${log:+-o logdev="${loop[1]}"} "${loop[0]}" mnt
	cmp copy mnt/random || fail "$what: another file"
	[ "$(cat mnt/3/*' 40')" = '3 40' ] || fail "$what: another file"
	timeout 60 umount mnt
	mounted=
}

try() {	# <option>...: in files, then attached
	what=$*
	expect_exit 0 "$XLOG_MKFS" -f -x "$@" ${log:+-l logdev=log} fs
	sound
	attach fs ${log:+log}
	works
	detach
	sound
}

log=
try -d size=320m
expect_exit 0 "$XLOG_MKFS" -f fs
sound
try -L 'a label' -m uuid=c68ab222-0000-1111-2222-333344445555 -d size=320m
[ "$(blkid -p -s LABEL -s UUID -s TYPE -o value fs | sort | paste -sd ' ')" = \
  'a label c68ab222-0000-1111-2222-333344445555 xfs' ] ||
	fail "blkid sees another: $(blkid -p fs)"
rm fs
try -d size=64m,agcount=2
try -b size=1k -m rmapbt=0,reflink=0,finobt=0,inobtcount=0 -d agcount=2
try -b size=8k -s size=4k -d agcount=2 -m bigtime=0 -i nrext64=0,sparse=0,maxpct=9
try -d su=64k,sw=3,agcount=2 -n size=16k -i size=2048
try -l cycle=77,su=32k -d agcount=2
rm fs
log=log
blank log 70m
try -d size=320m
try -l su=16k,size=20m -d agcount=3

# somewhere inside: what is before it stays
log=''
what='at an offset'
head -c 4m /dev/urandom >whole
cp whole before
truncate -s 40m whole
expect_exit 0 "$XLOG_MKFS" -x -q --offset=4m whole
head -c 4m whole | cmp - before || fail "$what: what is before it is another"
loop=("$(losetup --find --show --offset 4194304 whole)")
works
detach

# block devices, whose sectors and sizes are asked
rm fs log
for sector in 512 4096; do
	for log in '' log; do
		what="block devices of $sector${log:+, external log}"
		blank fs 48m
		blank log 24m
		loop=("$(losetup --find --show --sector-size $sector fs)")
		[ -z "$log" ] ||
			loop+=("$(losetup --find --show --sector-size $sector log)")
		expect_exit 0 "$XLOG_MKFS" -x ${log:+-l logdev="${loop[1]}"} "${loop[0]}"
		grep -q "sectsz=$sector " out || fail "$what: $(cat out)"
		works
		expect_exit 4 "$XLOG_MKFS" -x ${log:+-l logdev="${loop[1]}"} "${loop[0]}"
		expect_exit 0 "$XLOG_MKFS" -x -f -K -q ${log:+-l logdev="${loop[1]}"} "${loop[0]}"
		works
		detach
		sound
	done
done
echo 'mounted, written to, sound'
