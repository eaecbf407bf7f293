# bash completion for xlog-mkfs(8)                         -*- shell-script -*-
# SPDX-License-Identifier: LGPL-2.1-or-later

_xlog_mkfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' opt list begun sub='' i
	local longs='--block= --sector= --data= --inode= --naming= --metadata=
		--log= --label= --log-only --for= --dry-run --force-overwrite
		--nodiscard --undo= --expert --lock --lock= --offset= --json
		--output= --force= --color --color= --progress= --interval=
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
		--lock | --color) opt= ;;
		esac
	fi
	COMPREPLY=()
	# the value of a sub-option: the option stands further ahead
	if [[ $opt != -* ]] &&
	   [[ $prev == = || ${COMP_WORDS[COMP_CWORD]} == = ]]; then
		sub=${opt##*,}
		for ((i = COMP_CWORD - 1; i > 0; i--)); do
			[[ ${COMP_WORDS[i]} != -* ]] || break
		done
		opt=${COMP_WORDS[i]}
	fi
	if [[ -n $sub && $cur != *,* ]]; then
		[[ $sub != logdev && $sub != name ]] ||
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	case $opt in
	--block | -b)
		list='size=' ;;
	--sector | -s)
		list='size= sectsize=' ;;
	--data | -d)
		list='size= agcount= agsize= su= sw= sunit= swidth= noalign
			name= file' ;;
	--inode | -i)
		list='size= maxpct= sparse= nrext64= exchange=' ;;
	--naming | -n)
		list='size= ftype= parent=' ;;
	--metadata | -m)
		list='uuid= crc= finobt= inobtcount= rmapbt= reflink=
			bigtime=' ;;
	--log | -l)
		list='size= logdev= name= file internal agnum= su= sunit=
			sectsize= cycle= version= lazy-count=' ;;
	--color)
		list='auto always never' ;;
	--progress)
		list='auto bar lines json none' ;;
	--lock)
		list='yes no nonblock' ;;
	--force)
		list=output ;;
	--label | --offset | --interval | -L)
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
	if [[ $cur == *,* ]]; then
		begun=${cur%,*},
	fi
	mapfile -t COMPREPLY < <(compgen -P "$begun" -W "$list" -- "${cur#"$begun"}")
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}
complete -F _xlog_mkfs xlog-mkfs
