# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the shell stories share; each begins with
#	. "$ROOT/tests/lib/story.sh"
# The runner (tests/lib/run.sh) sets ROOT, BUILD, IMAGES, FIXTURES, XLOG_PRINT
# and CC, and starts the story in an empty scratch folder.
set -eu -o pipefail

# Not here: say why and leave. With XLOG_REQUIRE_ALL the runner counts it as a
# failure.
skip() {
	echo "$*"
	exit 77
}

fail() {
	echo "${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: $*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || skip 'needs root'
}

need_loop() {
	need_root
	losetup --find >/dev/null 2>&1 || skip 'needs loop devices'
}

need_kernel_xfs() {
	need_root
	grep -qw xfs /proc/filesystems || modprobe -q xfs 2>/dev/null || true
	grep -qw xfs /proc/filesystems || skip "needs the kernel's XFS"
}

need_command() {
	local c

	for c; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

# expect_exit STATUS COMMAND...: run, complain unless it exits so. Output goes
# to the files out and err of the scratch folder.
expect_exit() {
	local want=$1 rc=0

	shift
	"$@" >out 2>err || rc=$?
	[ $rc = "$want" ] && return
	echo "'$*' exits with $rc, expected $want" >&2
	head -n 20 out err >&2
	exit 1
}

# One line an image, tab-separated, of every MANIFEST.tsv below $IMAGES:
#	name image logdev rtdev state tail head records checkpoints items
#	outcome order
# logdev and rtdev are files or "-"; state is "clean" or "dirty"; tail and head
# are cycle:block, equal in a clean log; items are TYPE=COUNT sorted by type, or
# "-"; outcome is "ok" or begins with "refused"; order is le or be.
# Images unpacked on the way are none: the files are compressed.
images_table() {
	find -L "$IMAGES" -name MANIFEST.tsv | sort | while read -r manifest; do
		awk -F '\t' -v OFS='\t' -v dir="${manifest%/*}" \
			-f "$ROOT/tests/lib/manifest.awk" "$manifest"
	done
}

# unpack FILE.zst [NAME]: a sparse copy in the scratch folder; prints its name
unpack() {
	local to=${2:-$(basename "${1%.zst}")}

	zstd -dqf --sparse "$1" -o "$to"
	echo "$to"
}
