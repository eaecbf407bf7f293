#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Filesystems of xlog-mkfs and of mkfs.xfs, with the same options given to both:
# the same bytes, but for the few fields in the table of format_same.c. In the
# combinations every pair of values occurs. FORMATS_ALL=1 makes all of them,
# and has the kernel mount each of ours and write to it, and xfs_repair look at
# what came of it; else there are the first ones, which have most of the pairs.
# $MKFS_XFS, if it is set, is a newer mkfs.xfs that knows parent and exchange.
#
# Release build only: other stories make filesystems with the others.
. "$ROOT/tests/lib/story.sh"
need_command mkfs.xfs

all=${FORMATS_ALL:-}
same=$BUILD/tests/truth/format_same
uuid=11111111-2222-3333-4444-555555555555
# A newer mkfs.xfs takes times and generations from these as well.
export SOURCE_DATE_EPOCH=1700000000 DETERMINISTIC_SEED=1
if [ -n "$all" ]; then
	need_loop
	need_kernel_xfs
	need_command xfs_repair
fi
loop=() mounted=
cleanup() {
	[ -z "$mounted" ] || timeout 60 umount mnt || true
	[ ${#loop[@]} = 0 ] || losetup -d "${loop[@]}" || true
}
trap cleanup EXIT
mkdir mnt

# Sizes that go together are not left to chance: for each size of a block, how
# large groups and log have to be, in MiB. In groups so small that the btrees of
# free space never get a second level, mkfs.xfs 6.10 and later want fewer blocks
# for the free list than those before: these are only in one_group().
declare -A group_mib=([1024]=96 [4096]=96 [16384]=192 [65536]=640)
declare -A log_mib=([1024]=64 [4096]=64 [16384]=128 [65536]=256)

cat >values <<-END
	block 1024 4096 16384 65536
	sector 512 4096
	inode 512 1024 2048
	groups 1 4 64
	log internal external
	logsu none 64k 256k
	stripe none 64k:4 1m:2
	dirblock 4096 16384 65536
	finobt 0 1
	rmapbt 0 1
	reflink 0 1
	sparse 0 1
	bigtime 0 1
	inobtcount 0 1
	nrext64 0 1
	! block=1024 sector=4096
	! block=1024 inode=1024
	! block=1024 inode=2048
	! block=16384 dirblock=4096
	! block=65536 dirblock=4096
	! block=65536 dirblock=16384
	! finobt=0 inobtcount=1
	! groups=1 log=internal logsu=64k
	! groups=1 log=internal logsu=256k
	! groups=1 log=internal stripe=64k:4
	! groups=1 log=internal stripe=1m:2
END

# The options of a combination, for either mkfs; what is not of the combination
# is the same for all. "EXTERNAL" stands for a file of its own for each.
options_of() {	# <NAME=VALUE>...
	local -A v=([parent]='' [exchange]='')
	local o

	for o; do
		v[${o%%=*}]=${o#*=}
	done
	bytes=$((v[groups] * group_mib[${v[block]}] << 20))
	# the last group, if it is not the only one, is shorter
	[ "${v[groups]}" = 1 ] || bytes=$((bytes - 40 * v[block]))
	log_bytes=$((log_mib[${v[block]}] << 20))
	options=(-b "size=${v[block]}" -s "size=${v[sector]}"
		-i "size=${v[inode]},maxpct=20,sparse=${v[sparse]},nrext64=${v[nrext64]}${v[exchange]:+,exchange=${v[exchange]}}"
		-n "size=${v[dirblock]}${v[parent]:+,parent=${v[parent]}}"
		-m "uuid=$uuid,finobt=${v[finobt]},rmapbt=${v[rmapbt]}"
		-m "reflink=${v[reflink]},bigtime=${v[bigtime]},inobtcount=${v[inobtcount]}"
		-d "size=$bytes,agcount=${v[groups]}" -l "size=$log_bytes")
	[ "${v[stripe]}" = none ] ||
		options+=(-d "su=${v[stripe]%:*},sw=${v[stripe]#*:}")
	[ "${v[logsu]}" = none ] || options+=(-l "su=${v[logsu]}")
	log=
	[ "${v[log]}" = internal ] || {
		log=1
		options+=(-l "sectsize=${v[sector]}")
	}
}

empty_files() {
	rm -f ours theirs ours.log theirs.log
	truncate -s "$bytes" ours theirs
	[ -z "$log" ] || truncate -s "$log_bytes" ours.log theirs.log
}

make_ours() {
	"$XLOG_MKFS" -q -x "${options[@]}" ${log:+-l logdev=ours.log} ours 2>err
}

make_theirs() {	# <mkfs.xfs>
	"$1" -q --unsupported "${options[@]}" ${log:+-l logdev=theirs.log} \
		theirs >out 2>&1
}

# Lines of format_same go to the file counts.
make_both() {	# <mkfs.xfs> <NAME=VALUE>...
	local peer=$1

	shift
	options_of "$@"
	empty_files
	make_ours || { cat err >&2; fail "xlog-mkfs: $*"; }
	make_theirs "$peer" || { cat out >&2; fail "$peer: $*"; }
	"$same" ours theirs ${log:+ours.log theirs.log} >out || {
		cat out >&2
		fail "not the same: $*"
	}
	cat out >>counts
	made=$((made + 1))
}

# The kernel uses ours.
use() {	# <NAME=VALUE>...
	local f

	for f in ours ${log:+ours.log}; do
		loop+=("$(losetup --find --show "$f")")
	done
	timeout 60 mount -t xfs ${log:+-o logdev="${loop[1]}"} "${loop[0]}" mnt ||
		fail "not mounted: $*"
	mounted=1
	mkdir -p mnt/a/b
	for f in $(seq 200); do
		echo "$f" >"mnt/a/b/$f"
	done
	head -c 3000000 /dev/urandom >mnt/large
	rm -r mnt/a/b/1?
	timeout 60 umount mnt
	mounted=
	losetup -d "${loop[@]}"
	loop=()
	# of one group it does not believe the geometry
	xfs_repair -n -o force_geometry ${log:+-l ours.log} ours >out 2>&1 || {
		tail -n 30 out >&2
		fail "xfs_repair -n complains: $*"
	}
	used=$((used + 1))
}

awk -v least=64 -f "$ROOT/tests/lib/pairs.awk" values >table ||
	fail 'not all pairs are possible'
pairs=$(sed -n 's/^# //p' table)
sed -i '/^#/d' table
[ "$(wc -l <table)" -ge 60 ] || fail 'too few combinations'
made=0 used=0
: >counts
while read -ra row; do
	make_both mkfs.xfs "${row[@]}"
	[ -z "$all" ] || use "${row[@]}"
	[ -n "$all" ] || [ $made -lt 12 ] || break
done <table
# A newer one, with what the other does not know: each combination with one of
# these in turn, or some of them with all. Version 7 adds a property to the root
# directory if it has both parent and rmapbt, asked or not; and a stripe is that
# of the log as well, also if sectors have 4 KiB.
if [ -n "${MKFS_XFS:-}" ]; then
	new=('parent=1 exchange=1' 'parent=0 exchange=1' 'parent=1 exchange=0')
	version=$("$MKFS_XFS" -V)
	for i in $(seq "$([ -n "$all" ] && wc -l <table || echo 9)"); do
		args="$(sed -n "${i}p" table) ${new[i % 3]}"
		case ${version##* } in
		[7-9].*)
			[[ $args != *parent=1* ]] || args=${args/rmapbt=1/rmapbt=0}
			[[ $args == *stripe=none* ]] || args=${args/logsu=none/logsu=64k}
			;;
		esac
		# shellcheck disable=SC2086 # a list of words
		make_both "$MKFS_XFS" $args
	done
	echo "of these $i with $version"
fi
# In one group there is not always room for inodes where xfs_repair looks for
# them, behind a log that is aligned. mkfs.xfs notices that when all is written.
refused=0
one_group() {
	local block logsu stripe rmapbt row

	for block in 1024 4096 16384 65536; do
	for logsu in none 64k 256k; do
	for stripe in none 64k:4 1m:2; do
	for rmapbt in 0 1; do
		row=("block=$block" sector=512 inode=512 groups=1 log=internal
			"logsu=$logsu" "stripe=$stripe" dirblock=65536 finobt=0
			"rmapbt=$rmapbt" "reflink=$rmapbt" sparse=1 bigtime=1
			inobtcount=0 nrext64=1)
		options_of "${row[@]}"
		empty_files
		if make_ours; then
			make_both mkfs.xfs "${row[@]}"
		elif make_theirs mkfs.xfs; then
			cat err >&2
			fail "refused: ${row[*]}"
		else
			refused=$((refused + 1))
		fi
	done
	done
	done
	done
}
if [ -n "$all" ]; then
	group_mib[65536]=384
	one_group
	echo "$refused of one group that mkfs.xfs cannot make either"
fi

echo "$made combinations, $(awk '$1 == "things" { n += $2 } END { print n }' counts) blocks of metadata: the same"
[ -z "$all" ] || echo "$pairs of values; $used mounted, written to, clean for xfs_repair"
awk '$1 == "allowed" { n[$2] += $3 } END { for (f in n) print f, n[f] }' counts | sort
# What never differs has no place in the table.
for field in di_atime di_mtime di_ctime di_crtime di_gen di_crc \
	${all:+one-unused-record bb_crc}; do
	grep "^allowed $field " counts >/dev/null || fail "$field never differs"
done

# --- and it would be noticed ---

options_of block=4096 sector=512 inode=512 groups=4 log=internal logsu=none \
	stripe=none dirblock=4096 finobt=1 rmapbt=1 reflink=1 sparse=1 \
	bigtime=1 inobtcount=1 nrext64=1
empty_files
"$XLOG_MKFS" -q -x "${options[@]}" ours
group=$((bytes / 4 / 4096 * 4096 + 4096))

# A byte of: superblock, AGF, AGI, AGFL, a btree block behind its records, the
# second group, the log, an inode's mode, its generation with no checksum made,
# free space, the end.
for at in 100 600 1500 2040 8100 $((group + 700)) $((2 * group + 100000)) \
	65538 65630 30000000 $((bytes - 1)); do
	cp --sparse=always ours theirs
	"$same" ours theirs >/dev/null || fail 'a copy is not the same'
	printf '\125' | dd of=theirs bs=1 seek="$at" conv=notrunc status=none
	if "$same" ours theirs >out; then
		fail "byte $at may be anything"
	fi
done
