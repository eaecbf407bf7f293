#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shell scripts and completions: shellcheck, and zsh's own parser.
set -eu
. tests/lib/files.sh
files_of '*.sh' .ci/run | xargs shellcheck -x
# Under pipefail the line fails whenever grep leaves before the other is done.
if files_of '*.sh' .ci/run | xargs grep -nE '[^|]\| *grep (-[a-zA-Z]+ +)*-[a-zA-Z]*q'; then
	echo 'a pipe into grep -q: let grep read on, into /dev/null'
	exit 1
fi
files_of 'completions/*.bash' | xargs -r shellcheck -s bash
if command -v zsh >/dev/null; then
	files_of 'completions/_*' | xargs -r -n 1 zsh -n
fi
