#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lock annotations: clang checks REQUIRES, EXCLUDES, ACQUIRES and RELEASES, and
# looks at every source with a second compiler's eyes on the way.
set -eu
. tests/lib/files.sh
files_of 'libxfsfmt/*.c' 'libxlog/*/*.c' 'cmd/*.c' | xargs "${CLANG:-clang}" \
	-fsyntax-only -I. -D_GNU_SOURCE -std=c11 -Wall -Wextra -Wthread-safety -Werror
