#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# demo.sh XLOG_PRINT: a filesystem that a Linux kernel left with a dirty log,
# as xlog-print shows it, on one page.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
PATH=$(cd "$(dirname "$1")" && pwd):$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
zstd -dqf --sparse tests/images/linux618/rmap-intents.img.zst -o "$tmp/dirty.img"
cd "$tmp"

# show STATUS LINES COMMAND...: the command, and the beginning of its output
show() {
	local want=$1 lines=$2 rc=0 all

	shift 2
	echo "\$ $*"
	"$@" >out 2>&1 || rc=$?
	head -n "$lines" out | cut -c -100
	all=$(wc -l <out)
	[ "$all" -le "$lines" ] || echo "  ... $((all - lines)) more lines"
	[ $rc = "$want" ] || { echo "exit status $rc, expected $want" >&2; exit 1; }
	echo
}

echo '# A crash left this filesystem (Linux 6.18, 128 MiB) with work in its log.'
show 4 2 xlog-print --check dirty.img
echo '# What a mount would replay, checkpoint by checkpoint:'
show 0 14 xlog-print -t dirty.img
echo '# What fills the log:'
show 0 16 xlog-print -z dirty.img
echo '# The same, as xfs_logprint shows it:'
show 0 22 xfs_logprint -t dirty.img
