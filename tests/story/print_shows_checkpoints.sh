#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# -t: a line about the log, one about each checkpoint from tail to head, one
# about each item; with details, the fields below it.
. "$ROOT/tests/lib/story.sh"
cd "$IMAGES/linux618"

show() {
	echo "\$ xlog-print $*"
	"$XLOG_PRINT" "$@"
	echo
}

# all there is, of three checkpoints that wrap the end of the log
show -t rmap-intents.img.zst
# a frozen filesystem; a clean one; one that was never mounted; external logs
show -t freeze.img.zst
show -t clean.img.zst
show -t never.img.zst
show -t -l extlog.img.logdev.zst --limit=1 extlog.img.zst
show -t -l ../other/be61-v4-extlog-rt.log.img.zst --limit=1 \
	../other/be61-v4-extlog-rt.img.zst
# a checkpoint without a commit is one line
show -t -n unfinished.img.zst | grep -v '^ '
