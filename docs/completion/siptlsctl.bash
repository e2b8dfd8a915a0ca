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

# One column of a list of the daemon; nothing where it cannot be asked.
_siptlsctl_values() {
	siptlsctl "$1" --raw --output "$2" 2>/dev/null | tail -n +2
}

_siptlsctl_words() {
	local command=$1 previous=$2
	case $previous in
	--output) _siptlsctl_columns "$command" ;;
	--peer | --as-peer) _siptlsctl_values peers name ;;
	--direction) echo in out ;;
	--profile) echo rfc5922 rfc9525 pool ;;
	--purpose) echo server client ;;
	--usage) echo tls tls-any sip ignore ;;
	--revocation) echo off check require ;;
	--name | --at | --grace) ;;
	*)
		case $command in
		'') echo summary sessions show close lookup refusals explain peers topology probe \
			revocation certificates reload stage commit abort preview reasons verify \
			--socket --json --help --version ;;
		sessions) echo --json --raw --output --peer --verify ;;
		refusals) echo --json --raw --output --peer ;;
		peers | certificates | stage) echo --json --raw --output ;;
		reasons)
			echo --json --raw --output
			_siptlsctl_values reasons code
			;;
		topology)
			echo --json --raw --output
			_siptlsctl_values topology name
			;;
		probe)
			echo --json
			_siptlsctl_values topology name
			;;
		show | close)
			echo --json
			_siptlsctl_values sessions id
			;;
		explain)
			echo --json --chain --as-peer --direction --config --at
			_siptlsctl_values sessions id
			_siptlsctl_values refusals id
			;;
		revocation) echo --json --raw --output --refresh ;;
		reload) echo --json --dry-run --raw --output ;;
		commit) echo --json --at ;;
		preview) echo --json --raw --output --staged --at --crl ;;
		summary | lookup | abort) echo --json ;;
		verify) echo --anchor --chain --name --any-name --profile --purpose --usage --revocation \
			--crl --grace --at --json ;;
		esac
		;;
	esac
}

_siptlsctl() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words before=

	case $previous in
	--socket | --anchor | --chain | --crl | --config)
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
