#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# demo.sh FOLDER: two filesystems that a Linux kernel left with a dirty log. The
# log of one is shown, that of the other replayed, and files are there that were
# not: looked at by a mount without recovery where that can be done, else by
# xfs_db.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
PATH=$(cd "$1" && pwd):$PATH:/usr/sbin:/sbin
images=$PWD/tests/images/linux618
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
zstd -dqf --sparse "$images/rmap-intents.img.zst" -o dirty.img
zstd -dqf --sparse "$images/bs1k.img.zst" -o crashed.img

# show STATUS LINES COMMAND...: the command, and the beginning of its output
show() {
	local want=$1 lines=$2 rc=0 all

	shift 2
	echo "\$ $*"
	"$@" >out 2>&1 || rc=$?
	head -n "$lines" out | cut -c -120
	all=$(wc -l <out)
	[ "$all" -le "$lines" ] || echo "  ... $((all - lines)) more lines"
	[ $rc = "$want" ] || { echo "exit status $rc, expected $want" >&2; exit 1; }
	echo
}

# The root folder of crashed.img as it is on disk, by a mount; false: cannot.
show_mounted() {
	[ "$(id -u)" = 0 ] && grep -qw xfs /proc/filesystems || return 1
	mkdir -p mnt
	timeout 60 mount -t xfs -o loop,ro,norecovery,nouuid crashed.img mnt \
		2>/dev/null || return 1
	echo '$ mount -o loop,ro,norecovery crashed.img mnt; ls mnt'
	ls mnt >out
	timeout 60 umount mnt
	cat out
	[ -s out ] || echo '(nothing)'
	echo
}

show_root() {
	show_mounted || show 0 10 xfs_db -r -c 'ls /' crashed.img
}

echo '# A crash left this filesystem (Linux 6.18, 128 MiB) with work in its log.'
show 4 2 xlog-print --check dirty.img
echo '# What a mount would replay, checkpoint by checkpoint:'
show 0 8 xlog-print -t dirty.img
echo '# What fills the log:'
show 0 12 xlog-print -z dirty.img
echo '# The same, as xfs_logprint shows it:'
show 0 8 xfs_logprint -t dirty.img

echo '# Another one: files were made and synced, but without its log it is empty.'
show_root
echo '# What a replay would change:'
show 4 8 xlog-recover -n crashed.img
echo '# Replay it without mounting it, and be able to go back:'
show 0 5 xlog-recover -z crashed.undo crashed.img
show_root
echo '# And back:'
show 0 2 xlog-recover --undo-apply=crashed.undo crashed.img
