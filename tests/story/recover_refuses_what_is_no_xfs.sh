#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is not XFS, or cannot be read or written: exit status 8. What is XFS and
# bad: 4. One clear line on stderr, nothing on stdout, no file made.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/untouched.sh"

refused() {	# <status> <words of the message> <argument>...
	local status=$1 words=$2 option

	shift 2
	for option in -a -n --json --explain --target=t '-z u'; do
		# shellcheck disable=SC2086 # words
		expect_exit "$status" "$XLOG_RECOVER" $option "$@"
		[ ! -s out ] || fail "$option $*: output on stdout"
		[ "$(wc -l <err)" = 1 ] || { cat err >&2; fail "$option $*: not one line"; }
		says "$words"
		[ ! -e t ] || fail "$option $*: a copy was left"
		[ ! -e u ] || fail "$option $*: an undo file was left"
	done
}

: >empty
mkdir folder
mkfifo pipe
head -c 1048576 /dev/zero >zeros
printf XFSB >four
refused 8 'is empty' empty
refused 8 'a directory' folder
refused 8 'No such file' nothing
refused 8 'Not a directory' empty/nothing
refused 8 'a pipe' pipe
refused 8 'neither an XFS filesystem nor an XFS log' zeros
refused 8 'neither an XFS filesystem nor an XFS log' four
refused 8 'a character device' /dev/null

image=$(unpack "$IMAGES/linux618/chmod-only.img.zst")
poke() {	# OFFSET HEX...: a copy with bytes at OFFSET changed
	cp --sparse=always "$image" bad.img
	printf '%b' "$(printf '\\x%s' "${@:2}")" |
		dd of=bad.img bs=1 seek="$1" conv=notrunc status=none
	remember bad.img
}
poke 4 00 00 10 01		# block size
refused 4 'superblock: ' bad.img
is_untouched bad.img
poke 300 ff			# its checksum
refused 4 'superblock: ' bad.img
is_untouched bad.img
truncate -s 1M bad.img
refused 4 'superblock: ' bad.img

# arguments that do not fit what is there
refused 8 'has an internal log' -l zeros "$image"
refused 8 'nothing: No such file' -r nothing "$image"
refused 8 'behind the end' --offset=1g "$image"
unpack "$IMAGES/linux618/extlog.img.zst" ext.img >/dev/null
refused 8 'name it with --logdev' ext.img
refused 8 'No such file' -l nothing ext.img

# what is compressed can only be copied
expect_exit 8 "$XLOG_RECOVER" "$IMAGES/linux618/chmod-only.img.zst"
says '--target'
head -c 20000 "$IMAGES/linux618/chmod-only.img.zst" >cut.zst
refused 8 'cut.zst' cut.zst

# what may not be written, tried as a user who is not root; nor may the folder
place=$(mktemp -d -p /tmp xlog.XXXXXX)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
cp --sparse=always "$image" "$place/image"
cp "$XLOG_RECOVER" "$place"
cd "$place"
chmod 444 image
as=()
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
else
	chmod 555 .
fi
"${as[@]}" ./xlog-recover -V >/dev/null || skip 'nobody cannot run programs'
remember_dir=$(mktemp -d -p /tmp xlog.XXXXXX)
trap 'chmod 755 "$place"; rm -rf "$place" "$remember_dir"' EXIT
run() {	# <status> <argument>...
	local want=$1 rc=0

	shift
	"${as[@]}" ./xlog-recover "$@" >"$remember_dir/out" 2>"$remember_dir/err" || rc=$?
	[ $rc = "$want" ] || { cat "$remember_dir/err" >&2; fail "$*: exit status $rc"; }
}
run 8 image
grep -q 'Permission denied' "$remember_dir/err"
run 8 --target=copy image
grep -q 'copy: Permission denied' "$remember_dir/err"
# to look is allowed
run 4 -n image
[ ! -s "$remember_dir/err" ] || { cat "$remember_dir/err" >&2; fail 'a dry run complains'; }
cmp image "$OLDPWD/$image"
