# bash completion for xlog-print(8)                        -*- shell-script -*-
# SPDX-License-Identifier: LGPL-2.1-or-later

_xlog_print() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' opt list begun
	local longs='--transactions --map --check --check= --superblock
		--explain --stats --stats= --copy= --buffers --inodes --quotas
		--all-detail --hex --data-only --no-decode --overwrite
		--hex-order= --utc --epoch --type= --ino= --block= --ag= --tid=
		--from= --to= --start= --limit= --continue --stop --logdev=
		--rtdev= --offset= --image-file --lock --lock= --json --output=
		--force= --expert --color --color= --progress= --interval=
		--verbose --quiet --help --version'

	((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}
	# bash cuts a long option and its value at the "=": put it together again
	if [[ $cur == = ]]; then
		opt=$prev cur=
	elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
		opt=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == --*=* ]]; then
		opt=${cur%%=*} cur=${cur#*=}
	else
		opt=$prev
		# these take no word of their own without "="
		case $opt in
		--check | --stats | --lock | --color | -z) opt= ;;
		esac
	fi
	COMPREPLY=()
	case $opt in
	--check)
		list=full ;;
	--stats)
		list='type inode ag record' ;;
	--hex-order)
		list='bytes host be le' ;;
	--color)
		list='auto always never' ;;
	--progress)
		list='auto bar lines json none' ;;
	--lock)
		list='yes no nonblock' ;;
	--force)
		list='output uuid features crc mounted-ro' ;;
	--type)
		list='list buf inode dquot quotaoff icreate efi efd rui rud cui
			cud bui bud attri attrd xmi xmd efi_rt efd_rt rui_rt
			rud_rt cui_rt cud_rt' ;;
	--ino | --block | --ag | --tid | --from | --to | --start | --limit | \
		--offset | --interval | -s)
		return ;;
	--logdev | --rtdev | --output | --copy | -l | -r | -C)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$longs" -- "$cur")
			[[ ${COMPREPLY[0]-} != *= ]] ||
				compopt -o nospace 2>/dev/null
			return
		fi
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	# lists go on behind their last comma
	begun=''
	if [[ $opt == --type || $opt == --force ]] && [[ $cur == *,* ]]; then
		begun=${cur%,*},
	fi
	mapfile -t COMPREPLY < <(compgen -P "$begun" -W "$list" -- "${cur#"$begun"}")
}
complete -F _xlog_print xlog-print
