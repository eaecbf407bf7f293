#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With one job, the same seed makes the same bytes, in the log and elsewhere,
# whichever the policy and the load, also where power fails; another seed makes
# others.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"
fs=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
expect_exit 0 "$XLOG_RECOVER" "$fs"

run() {	# <copy> <option>...
	local copy=$1

	shift
	cp --sparse=always "$fs" "$copy"
	expect_exit 0 timeout 60 "$XLOG_BENCH" -q -j1 -n 4000 --scratch "$@" "$copy"
}

same() {	# <option>...
	run one -s 7 "$@"
	run other -s 7 "$@"
	"$DIFFER" -s one other || fail "$*: other bytes"
	run other -s 8 "$@"
	! "$DIFFER" -s one other || fail "$*: another seed, and the same bytes"
}

same
same -o nodelaylog,logbsize=16k
same -w relog,set=5 --fsync-every=9
same -w bigtx,set=300 -n 200
same --crash-after=12iclogs --crash=reorder --fsync-every=50
same --crash-after=300000bytes --crash=torn -o nodelaylog
