# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion of siptlsctl for bash. Ids and column names are asked of siptlsctl itself, so there is
# no second list of them here.

# The words of the command line that come before the cursor: which command, which option last?
_siptlsctl_command() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket) ((i++)) ;;
		-*) ;;
		*)
			echo "${COMP_WORDS[i]}"
			return
			;;
		esac
	done
}

# Column names of a list; complaining about a wrong one needs no daemon.
_siptlsctl_columns() {
	siptlsctl "$1" --output '' 2>&1 | sed -n 's/.*there are://p'
}

_siptlsctl_words() {
	local command=$1 previous=$2
	case $previous in
	--output) _siptlsctl_columns "$command" ;;
	--peer) siptlsctl peers --raw --output name 2>/dev/null | tail -n +2 ;;
	--profile) echo rfc5922 rfc9525 pool ;;
	--purpose) echo server client ;;
	--usage) echo tls tls-any sip ignore ;;
	--revocation) echo off check require ;;
	--name | --at) ;;
	*)
		case $command in
		'') echo summary sessions show close lookup peers reload reasons verify \
			--socket --json --help --version ;;
		sessions) echo --json --raw --output --peer --verify ;;
		peers | reasons) echo --json --raw --output ;;
		show | close)
			echo --json
			siptlsctl sessions --raw --output id 2>/dev/null | tail -n +2
			;;
		summary | lookup | reload) echo --json ;;
		verify) echo --anchor --chain --name --profile --purpose --usage --revocation --crl \
			--at --json ;;
		esac
		;;
	esac
}

_siptlsctl() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words before=

	case $previous in
	--socket | --anchor | --chain | --crl)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	words=$(_siptlsctl_words "$(_siptlsctl_command)" "$previous")
	# A list of columns is completed at its last comma.
	if [[ $previous == --output && $word == *,* ]]; then
		before=${word%,*},
		word=${word##*,}
	fi
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$word")
}

complete -o filenames -F _siptlsctl siptlsctl
