# bash completion for dynwatch and dynwatch-feeds
_dynwatch() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local commands options
  if [ "$COMP_CWORD" -eq 1 ]; then
    # The program's own help is the list of commands, and below that of options.
    commands=$("${COMP_WORDS[0]}" --help 2> /dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
    return
  fi
  case $before in
    -i | --interface) mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$word") && return ;;
    --progress) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$word") && return ;;
    --format)
      local formats="auto table json"
      [ "${COMP_WORDS[1]}" = export ] && formats="rpz hosts domains adblock suricata"
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$word") && return ;;
    --kind) mapfile -t COMPREPLY < <(compgen -W "malicious provider tunnel update_host ip_check" -- "$word") && return ;;
    --min-severity) mapfile -t COMPREPLY < <(compgen -W "info low medium high critical" -- "$word") && return ;;
    --max-tlp) mapfile -t COMPREPLY < <(compgen -W "clear green amber amber+strict red" -- "$word") && return ;;
    --what) mapfile -t COMPREPLY < <(compgen -W "names addresses all" -- "$word") && return ;;
    --policy) mapfile -t COMPREPLY < <(compgen -W "nxdomain nodata drop tcp-only" -- "$word") && return ;;
  esac
  options=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help 2> /dev/null | grep -oE -- '--?[a-z][a-z-]*' | sort -u)
  case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -o filenames -F _dynwatch dynwatch dynwatch-feeds
