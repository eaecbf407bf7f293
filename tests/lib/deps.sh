#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# deps.sh build|demo|check|fuzz|bench: see that what this needs is there. What
# is missing is installed with apt-get if that can be done without a question
# (root, or sudo that asks for no password); else the line to run is printed and
# the exit status is 1. Nothing is installed while nothing is missing.
# DEPS=no in the environment: never install.
set -u
PATH=$PATH:/usr/sbin:/sbin
missing=

command_of() {	# <package> <command>
	command -v "$2" >/dev/null 2>&1 || missing="$missing $1"
}

module_of() {	# <package> <pkg-config module>
	pkg-config --exists "$2" 2>/dev/null || missing="$missing $1"
}

header_of() {	# <package> <header>
	echo "#include <$2>" | ${CC:-gcc} -E -x c - >/dev/null 2>&1 ||
		missing="$missing $1"
}

find_missing() {	# <what for>
	missing=
	command_of gcc "${CC:-gcc}"
	command_of pkg-config pkg-config
	header_of libc6-dev stdio.h
	module_of libzstd-dev libzstd
	module_of libblkid-dev blkid
	module_of libjson-c-dev json-c
	module_of libisal-dev libisal
	module_of liburing-dev liburing
	header_of systemtap-sdt-dev sys/sdt.h
	[ "$1" != build ] || return 0
	if [ "$1" = fuzz ]; then
		command_of clang clang
		# libFuzzer and the sanitizers of clang
		[ -n "$(find /usr/lib/llvm-*/lib/clang -name 'libclang_rt.fuzzer-*' 2>/dev/null)" ] ||
			missing="$missing libclang-rt-dev"
		return 0
	fi
	command_of zstd zstd
	command_of xfsprogs xfs_logprint
	if [ "$1" = bench ]; then
		module_of libsqlite3-dev sqlite3
		module_of librocksdb-dev rocksdb
		command_of util-linux losetup
		command_of kmod modprobe
		command_of strace strace
		return 0
	fi
	[ "$1" = check ] || return 0
	header_of libcriterion-dev criterion/criterion.h
	command_of clang clang
	command_of jq jq
	command_of xz-utils xz
	command_of shellcheck shellcheck
	command_of mandoc mandoc
	command_of man-db man
	command_of diffutils diff
	command_of util-linux losetup
	command_of kmod modprobe
	command_of strace strace
	command_of zsh zsh
	# a second word size, where there is one
	case $(uname -m) in
	x86_64)	"$(dirname "$0")/can_m32.sh" "${CC:-gcc}" ||
			missing="$missing gcc-multilib" ;;
	esac
}

find_missing "$1"
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
command -v apt-get >/dev/null || {
	echo "missing, by the names of Debian's packages:$missing" >&2
	exit 1
}
if [ "${DEPS:-}" != no ] && [ "$(id -u)" = 0 ]; then
	as=
elif [ "${DEPS:-}" != no ] && sudo -n true 2>/dev/null; then
	as='sudo -n'
else
	echo 'Something is missing; please run' >&2
	echo "	sudo $line" >&2
	exit 1
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
{
	$as apt-get update -q && $as $line -q || exit 1
} </dev/null
find_missing "$1"
[ -z "$missing" ] || {
	echo "installed, and still not found:$missing" >&2
	exit 1
}
