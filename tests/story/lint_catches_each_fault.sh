#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Release build only: the checks of sources do not depend on the flavour.
#
# Each check of `make lint` passes on the tree and fails on a copy of it that
# has the one fault it looks for.
. "$ROOT/tests/lib/story.sh"

mkdir tree
(cd "$ROOT" && . tests/lib/files.sh && files_of 'cmd/*' 'libx*' 'tests/l*' \
	'man/*' 'completions/*' Makefile README.md NEWS AUTHORS .ci/run |
	tar -cf - -T -) | tar -C tree -xf -
cd tree
mkdir -p build/release libxlog/log

pass() {
	BUILD=${BUILD_HERE:-$BUILD} sh "tests/lint/$1.sh" >../out 2>&1 || {
		cat ../out >&2
		fail "$1 fails ${2:-on a sound tree}"
	}
}

# caught CHECK FILE TEXT: append the text to a copy of the file
caught() {
	local kept=

	[ ! -e "$2" ] || { kept=$(mktemp) && cp "$2" "$kept"; }
	mkdir -p "$(dirname "$2")"
	printf '%b\n' "$3" >>"$2"
	! BUILD=${BUILD_HERE:-$BUILD} sh "tests/lint/$1.sh" >../out 2>&1 ||
		fail "$1 does not see what is wrong with $2: $3"
	if [ "$kept" ]; then
		mv "$kept" "$2"
	else
		rm "$2"
	fi
}

spdx='/* SPDX-License-Identifier: LGPL-2.1-or-later */'

pass check-layers
caught check-layers libxfsfmt/types.h '#include "libxlog/dev/dev.h"'
caught check-layers libxlog/read/a.c '#include "libxlog/log/log.h"'
caught check-layers libxlog/dev/a.c '#include "libxlog/read/read.h"'
caught check-layers cmd/a.c '#include "libxlog/dev/dev.h"'
pass headers
caught headers libxfsfmt/a.h "$spdx\nuint32_t f(void);"
pass locks
caught locks libxlog/log/a.c "$spdx
struct __attribute__((capability(\"mutex\"))) m { int i; };
void f(struct m *m) __attribute__((requires_capability(*m)));
void g(struct m *m);
void g(struct m *m) { f(m); }"
pass manpages
caught manpages man/a.8 '.TH a 8\n.SH NAME\na \\- b\n.SH SYNOPSIS\n'
caught manpages man/a.5 '.TH a 5 2026-01-01\n.SH NAME\na \\- b\n.nosuchrequest\n'
pass scripts
# shellcheck disable=SC2016 # meant for the file
caught scripts tests/lib/a.sh '#!/bin/sh\nrm $1/*'
[ -z "$(command -v zsh)" ] || caught scripts completions/_a 'if then {'
pass size
caught size libxlog/read/a.c "$(seq -f '/* %g */' 600)"
pass spdx
caught spdx libxlog/read/a.c '/* nothing */'
caught spdx libxlog/read/b.h "\n$spdx"
caught spdx man/a.8 '.TH a 8'
pass words
caught words libxlog/log/a.c 'int inode;'
caught words cmd/a.c 'x = atoi(s);'
caught words libxlog/read/a.c 'printf("x");'
caught words README.md "TO""DO"
caught words cmd/b.c 'int x; '

# These two look at what was built.
BUILD_HERE=$BUILD
pass pure
pass exports
BUILD_HERE=build/release
build() {	# <source of the whole library>
	printf '%s\n' "$1" >a.c
	"$CC" -c -fPIC a.c -o a.o
	rm -f build/release/libxfsfmt.a
	ar rcs build/release/libxfsfmt.a a.o
}
wrong_pure() {
	build "$1"
	! BUILD=build/release sh tests/lint/pure.sh >../out 2>&1 ||
		fail "pure does not see: $1"
}
build 'int xfs_f(void) { return 0; }'
pass pure 'on a pure function'
wrong_pure '#include <stdlib.h>
void *xfs_f(void) { return malloc(3); }'
wrong_pure 'int xfs_g(void); int xfs_f(void) { return xfs_g(); }'
wrong_pure 'int xfs_state; int xfs_f(void) { return xfs_state++; }'
wrong_pure 'int xfs_f(void) { static int n = 3; return n++; }'

version=$(sed -n 's/^VERSION[	 ]*:= *//p' Makefile)
wrong_exports() {
	! BUILD=build/release sh tests/lint/exports.sh >../out 2>&1 ||
		fail "exports does not see $1"
}
cp "$BUILD/libxlog.so.$version" build/release/
caught exports libxlog/xlog.h 'int xlog_extra(void);'
caught exports libxlog/libxlog.map '\txlog_extra;'
printf '%s\n' 'int xlog_open(void) { return 0; } int other(void) { return 0; }' >a.c
"$CC" -shared -fPIC a.c -Wl,-soname,libxlog.so.0 -o "build/release/libxlog.so.$version"
wrong_exports 'a library with one name too many and others missing'
