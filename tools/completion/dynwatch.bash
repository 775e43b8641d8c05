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
    --format) mapfile -t COMPREPLY < <(compgen -W "auto table json" -- "$word") && return ;;
  esac
  options=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help 2> /dev/null | grep -oE -- '--?[a-z][a-z-]*' | sort -u)
  case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -o filenames -F _dynwatch dynwatch dynwatch-feeds
