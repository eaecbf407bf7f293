#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What cannot be read, or never ends: exit status 8, in time, with one line that
# names it. The part with permissions is tried as a user who is not root.
. "$ROOT/tests/lib/story.sh"
. "$ROOT/tests/lib/bad.sh"

says() {	# <words> <input> <argument>...
	local words=$1 input=$2 view

	shift 2
	for view in -t --check '-J -S' --explain; do
		# shellcheck disable=SC2086 # words
		run_on "$input" 8 "$input" $view "$@"
		grep -qF "$words" err || { cat err >&2; fail "$input: no '$words'"; }
	done
}

mkfifo pipe
says 'a pipe' pipe
mkfifo log
unpack "$IMAGES/linux618/extlog.img.zst" fs.img >/dev/null
for device in /dev/zero /dev/full /dev/tty; do
	[ ! -c $device ] || says 'a character device' $device
done
ln -s loop loop
says 'Too many levels of symbolic links' loop
says 'File name too long' "$(printf '%0300d' 0)"
mkdir folder
says 'a directory' folder
says 'a directory' folder/
touch empty
says 'empty' empty

# an external log that cannot be read is named, too
for device in log folder empty missing /dev/zero; do
	says "$device" fs.img -l "$device"
done

# permissions; the scratch folder may be closed to others itself
place=$(mktemp -d -p /tmp xlog.XXXXXX)
trap 'chmod 700 "$place"/closed; rm -rf "$place"' EXIT
chmod 755 "$place"
cp "$XLOG_PRINT" "$place"
cd "$place"
as=()
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
mkdir closed
touch closed/file
printf 'XFSB' >secret
chmod 0 secret closed
"${as[@]}" ./xlog-print -V >/dev/null || skip 'nobody cannot run programs'
for file in secret closed/file; do
	rc=0
	"${as[@]}" ./xlog-print -t $file >out 2>err || rc=$?
	[ $rc = 8 ] || fail "$file: exit status $rc"
	[ "$(cat err)" = "xlog-print: $file: cannot be opened: Permission denied" ] ||
		{ cat err >&2; fail "$file: not the one line"; }
	[ ! -s out ] || fail "$file: output"
done
# what lies beside a log and may not be read could have been needed
touch copy copy.xlog.json
chmod 0 copy.xlog.json
rc=0
"${as[@]}" ./xlog-print -t copy >out 2>err || rc=$?
[ $rc = 8 ] && [ "$(cat err)" = 'xlog-print: copy.xlog.json: Permission denied' ] ||
	{ cat err >&2; fail "copy: exit status $rc"; }
