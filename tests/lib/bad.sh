# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For stories about bad input, after story.sh: whatever is wrong, xlog-print
# ends in time with the right exit status, says why in a line or a few, each
# with the name of the input, and reads nothing but superblock and log.
export SPOIL=$BUILD/tests/spoil/spoil

# Under the address sanitizer strace gets in the way, and is not needed: there
# a read outside of a buffer is a failure anyway.
can_trace() {
	! has_asan "$XLOG_PRINT" &&
		command -v strace >/dev/null &&
		strace -o /dev/null true 2>/dev/null
}
TRACE=
if can_trace; then
	TRACE=yes
fi

SUPERBLOCK_BYTES=32768		# the largest sector

# views NUMBER VIEW...: of these sets of arguments, a line each, the first and one
# of the others, each in its turn; with CORRUPT_ALL=1 all of them. Under the
# address sanitizer, where a process takes long, only the one whose turn it is.
views() {
	local n=$1

	shift
	if [ -n "${CORRUPT_ALL:-}" ]; then
		printf '%s\n' "$@"
		return
	fi
	has_asan "$XLOG_PRINT" || { echo "$1"; shift; }
	n=$((n % $# + 1))
	echo "${!n}"
}

# What one run has to keep to. stdout and stderr go to the files out and err.
run_on() {	# <what is wrong> <allowed statuses> <input> <argument>...
	local what=$1 allowed=$2 input=$3 rc=0 lines line said

	shift 3
	timeout -k 1 20 "$XLOG_PRINT" "$@" "$input" >out 2>err || rc=$?
	case " $allowed " in
	*" $rc "*)	;;
	*)	head -n 5 err >&2
		fail "$what: xlog-print $* exits with $rc, not $allowed" ;;
	esac
	# a process for each of these would take longer than the tool
	mapfile -t said <err
	lines=${#said[@]}
	[ "$lines" -le 20 ] || fail "$what: xlog-print $*: $lines lines on stderr"
	for line in "${said[@]}"; do
		[[ $line = *"xlog-print: $input: "* ]] || {
			cat err >&2
			fail "$what: xlog-print $*: a message does not name the input"
		}
	done
	[ $rc = 0 ] || [ "${1%=full}" = --check ] || [ "$lines" != 0 ] ||
		grep -q '^{"type":"finding"' out ||
		fail "$what: xlog-print $*: exits with $rc and says nothing"
	if [ $rc = 8 ]; then
		[ "$lines" = 1 ] || fail "$what: xlog-print $*: $lines lines"
		[ ! -s out ] || fail "$what: xlog-print $*: output"
	fi
}

# Does "xlog-print ARGUMENT... INPUT" read from it only what is allowed to it?
reads_only_log() {	# <what> <input> <start, blocks of the log> <argument>...
	local what=$1 input=$2 start=$3 bb=$4

	[ -n "$TRACE" ] || return 0
	shift 4
	timeout -k 1 20 strace -f -y -s 0 -e trace=read,pread64,preadv,preadv2 \
		-o trace "$XLOG_PRINT" "$@" "$input" >/dev/null 2>&1 || true
	grep -F "/$input>, " trace >reads ||
		fail "$what: nothing is read, or not seen"
	sed -nE 's/.* ([0-9]+), ([0-9]+)\) = .*/\1 \2/p' reads |
		awk -v from="$((start * 512))" -v to="$(((start + bb) * 512))" \
			-v sb="$SUPERBLOCK_BYTES" '
		$1 + $2 > sb && ($2 < from || $1 + $2 > to) {
			print $1 " bytes at " $2 " are outside of the log"
			exit 1
		}' || fail "$what: xlog-print $* reads what is not the log"
	! grep -qv 'pread64(' reads || fail "$what: not by pread64"
}
