# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# files_of PATTERN...: the project's files whose path matches one of the shell
# patterns, a line each: what git tracks, or all of them in an unpacked archive.
files_of() {
	if [ -e .git ]; then
		git ls-files
	else
		find . -path ./build -prune -o -type f -print | sed 's,^\./,,'
	fi | sort | while read -r file; do
		[ -f "$file" ] || continue
		for pattern; do
			# shellcheck disable=SC2254 # the pattern is one
			case $file in
			$pattern) printf '%s\n' "$file"; break ;;
			esac
		done
	done
}
