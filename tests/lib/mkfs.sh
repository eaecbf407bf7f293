# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For stories of xlog-mkfs, after story.sh and untouched.sh.

# blank FILE SIZE: a file of zeros, in place of what was there
blank() {
	rm -f "$1"
	truncate -s "$2" "$1"
}

# refused STATUS WORDS FILE... -- ARGUMENT...: it ends so, with one line that
# has these words and nothing on stdout, and leaves the files alone.
refused() {
	local want=$1 words=$2 files=()

	shift 2
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	[ ${#files[@]} = 0 ] || remember "${files[@]}"
	expect_exit "$want" timeout 60 "$XLOG_MKFS" "$@"
	says "$words"
	grep -v '^Try ' err >lines || true
	[ "$(wc -l <lines)" = 1 ] || { cat err >&2; fail "$*: not one line"; }
	grep -q '^xlog-mkfs: ' err || fail "$*: the message does not name the tool"
	[ ! -s out ] || fail "$*: output on stdout"
	[ ${#files[@]} = 0 ] || is_untouched "${files[@]}"
}

le() {	# <bytes> <number>: in little-endian order
	local i n=$2

	for ((i = 0; i < $1; i++)); do
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\x$(printf %02x $((n & 255)))"
		n=$((n >> 8))
	done
}

crc32() {	# of stdin: what gzip notes at its end
	gzip -c | tail -c 8 | head -c 4
}

# gpt FILE: the first table of partitions, without any, on a file of 32 MiB
gpt() {
	local sectors=65536

	head -c 16384 /dev/zero | crc32 >entries.crc
	{
		printf 'EFI PART'
		le 4 65536
		le 4 92
		cat "$2"
		le 4 0
		le 8 1
		le 8 $((sectors - 1))
		le 8 34
		le 8 $((sectors - 34))
		printf 'a disk of xlog  '
		le 8 2
		le 4 128
		le 4 128
		cat entries.crc
	} >header
	[ "$2" = crc ] || return 0
	dd if=header of="$1" bs=512 seek=1 conv=notrunc status=none
}

make_gpt() {	# <file of 32 MiB>
	le 4 0 >zero
	gpt "$1" zero
	crc32 <header >crc
	gpt "$1" crc
}
