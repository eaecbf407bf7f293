#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Words that must not occur. The log engine does not know what an inode is;
# unbounded string functions and unfinished marks have no place anywhere.
set -eu
. tests/lib/files.sh
bad=0

forbid() {	# <pattern> <why> <file>...
	pattern=$1
	why=$2
	shift 2
	[ $# != 0 ] || return 0
	! grep -nHE "$pattern" "$@" >&2 || { echo "words: $why" >&2; bad=1; }
}

c=$(files_of 'libxfsfmt/*.[ch]' 'libxlog/*.[ch]' 'cmd/*.[ch]' 'tests/*.[ch]')
all=$(files_of '*.[ch]' '*.sh' 'man/*' 'completions/*' '*.md' Makefile .ci/run |
	grep -v '^tests/lint/words.sh$')
# shellcheck disable=SC2046,SC2086 # lists of plain names
{
	forbid '[iI]node' 'the log engine must not know inodes' \
		$(files_of 'libxlog/log/*.[ch]')
	forbid '\b(sprintf|vsprintf|strcpy|strcat|gets|atoi|atol|atoll|strtok)\(' \
		'use the bounded form' $c
	forbid '\b(TODO|FIXME|XXX|HACK|WIP)\b' 'finish it or leave it out' $all
	forbid '\b(exit|abort|printf|puts|fprintf|perror)\(' \
		'a library neither prints nor exits' \
		$(files_of 'libxfsfmt/*.[ch]' 'libxlog/*.[ch]')
	forbid '[[:space:]]$' 'white space at the end of a line' $c
}
exit $bad
