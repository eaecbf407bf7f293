# bash completion for xlog-recover(8)                      -*- shell-script -*-
# SPDX-License-Identifier: LGPL-2.1-or-later

_xlog_recover() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' opt list begun
	local longs='--dry-run --target= --explain --undo-apply= --zero-log
		--restore-log= --undo= --save-log= --stop-at= --intents=
		--iunlinks= --order= --verify= --maxmem= --logdev= --rtdev=
		--offset= --image-file --lock --lock= --json --output= --force=
		--expert --color --color= --progress= --interval= --verbose
		--quiet --help --version'

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
		--lock | --color) opt= ;;
		esac
	fi
	COMPREPLY=()
	case $opt in
	--intents)
		list='finish refuse skip' ;;
	--iunlinks)
		list='process leave' ;;
	--order)
		list='auto le be' ;;
	--verify)
		list='write reread' ;;
	--color)
		list='auto always never' ;;
	--progress)
		list='auto bar lines json none' ;;
	--lock)
		list='yes no nonblock' ;;
	--force)
		list='output uuid features changed' ;;
	--stop-at | --maxmem | --offset | --interval | -m | -t)
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
	if [[ $opt == --force ]] && [[ $cur == *,* ]]; then
		begun=${cur%,*},
	fi
	mapfile -t COMPREPLY < <(compgen -P "$begun" -W "$list" -- "${cur#"$begun"}")
}
complete -F _xlog_recover xlog-recover
