#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --type --ino --block --ag --tid --from --to --limit: what they leave is what
# jq selects from all there is.
. "$ROOT/tests/lib/story.sh"
need_command jq
image=$(unpacked "$IMAGES/linux618/rmap-intents.img.zst")
"$XLOG_PRINT" -t -J "$image" >all

same() {	# <jq condition on an item> <option>...
	local condition=$1

	shift
	jq -c "select(.type == \"item\" and ($condition))" all >want
	"$XLOG_PRINT" -t -J "$@" "$image" | jq -c 'select(.type == "item")' >got
	[ -s want ] || fail "$condition: selects nothing"
	cmp want got || fail "$* is not $condition"
	# the same as text, and the checkpoints of these items only
	[ "$("$XLOG_PRINT" -t "$@" "$image" | grep -c '^  [A-Z]')" = \
	  "$(wc -l <want)" ] || fail "$*: another number in text"
	[ "$("$XLOG_PRINT" -t "$@" "$image" | grep -c '^checkpoint')" = \
	  "$(jq -r .checkpoint want | uniq | wc -l)" ] ||
		fail "$*: checkpoints without items"
	# and as statistics
	[ "$("$XLOG_PRINT" -z "$@" "$image" | awk '/^total/ { print $2 }')" = \
	  "$(wc -l <want)" ] || fail "$*: another number in the table"
}

same true
same '.item == "buf"' --type=buf
same '.item | IN("efi", "rui")' --type=rui,efi
same '.item == "inode" and .ino == 324' --ino=324 --type=inode
same '.tid == 1894839279' --tid=0x70f0f3ef
same '.item == "buf" and .ag == 2' --ag=2 --type=buf
same '.item == "buf" and .daddr <= 131073 and .daddr + .bbs > 131073' \
	--block=131073 --type=buf
same '.item == "buf" and .ag == 3 and .agbno == 605' --block=3/605 --type=buf
same '.tid == 1894839279 and .item == "buf" and .ag == 3' \
	--type=buf --ag=3 --tid=1894839279
same '.checkpoint == "2:226"' --from=2:226
same '.checkpoint == "2:226"' --from=2:200
same '.checkpoint == "1:24528"' --to=2:56
same '.checkpoint == "2:56"' --from=2:1 --to=2:57
same '.checkpoint == "2:56" or .checkpoint == "2:226"' --start=8
same '.checkpoint == "1:24528"' --limit=1

# an inode is also touched by the buffer it lies in, and by intents
"$XLOG_PRINT" -t --ino=0x300e9 "$image" >out
grep -q '^  BUI .* 0x300e9 ' out
grep -q '^  INODE  0x300e9 ' out
# space freed is space touched
"$XLOG_PRINT" -t --block=3/605 "$image" | grep '^  EFI .*ag3/605+1' >/dev/null

# nothing selected: the log, and no more
[ "$("$XLOG_PRINT" -t --ino=1 "$image" | wc -l)" = 1 ]
[ "$("$XLOG_PRINT" --ino=1 "$image" | wc -l)" = 1 ]
[ "$("$XLOG_PRINT" -t --limit=0 "$image" | wc -l)" = 1 ]

# before the tail lie older checkpoints
"$XLOG_PRINT" -t --from=1:23000 --to=1:24528 "$image" >old
grep -c '^checkpoint' old
[ "$(grep '^checkpoint' old | tail -n 1 | sed 's/.*\.\.\([0-9:]*\) .*/\1/')" = 1:24528 ]

# the record view: only records with such items
"$XLOG_PRINT" -J --type=efd "$image" >records
jq -se '[.[] | select(.type == "item")] | length > 0 and
	all(.item == "efd")' records >/dev/null
[ "$(jq -r 'select(.type == "record").lsn' records)" = \
  "$(jq -r 'select(.type == "item").record' records | uniq)" ] ||
	fail 'records without items'
