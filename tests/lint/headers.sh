#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every header stands alone: compiled by itself it lacks nothing. The public
# one also in C++.
set -eu
. tests/lib/files.sh
bad=0
for h in $(files_of 'libxfsfmt/*.h' 'libxlog/*.h' 'cmd/*.h'); do
	echo "#include \"$h\"" | "${CC:-gcc}" -std=c11 -I. -D_GNU_SOURCE \
		-fsyntax-only -x c - || { echo "$h does not stand alone" >&2; bad=1; }
done
echo '#include "libxlog/xlog.h"' |
	"${CLANG:-clang}" -std=c++17 -I. -fsyntax-only -Wall -Wextra -Werror -x c++ - || bad=1
exit $bad
