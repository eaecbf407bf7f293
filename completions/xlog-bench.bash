# bash completion for xlog-bench(8)                        -*- shell-script -*-
# SPDX-License-Identifier: LGPL-2.1-or-later

_xlog_bench() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' opt list begun
	local longs='--workload= --jobs= --ops= --runtime= --seed= --fsync-every=
		--scratch --mem= --log= --options= --reservations
		--crash-after= --crash-every= --crash= --verify --offset= --interval=
		--percentiles= --trace= --json --output= --force= --color --color=
		--lock --lock= --verbose --quiet --help --version'

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
	--workload | -w)
		list='setattr relog bigtx fsync-probe list' ;;
	--log | -l)
		list='logdev= size= su= sunit=' ;;
	--options | -o)
		list='delaylog nodelaylog logbufs= logbsize= sync= ail=' ;;
	--crash)
		list='torn clean drop reorder' ;;
	--color)
		list='auto always never' ;;
	--lock)
		list='yes no nonblock' ;;
	--force)
		list=output ;;
	--trace)	# a file, then events
		if [[ $cur == *,* ]]; then
			list='xfs_ail_* xfs_buf_item_* xfs_cil_* xfs_inode_* xfs_log_*
				xfs_trans_* xlog_cil_* xlog_iclog_*'
		else
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi ;;
	--jobs | --ops | --runtime | --seed | --fsync-every | --mem | \
	--crash-after | --crash-every | --offset | --interval | --percentiles | -[jnTs])
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
complete -F _xlog_bench xlog-bench
