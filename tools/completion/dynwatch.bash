# bash completion for dynwatch
_dynwatch() {
  local commands="run reload replay check lookup rules"
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local options
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
    return
  fi
  case $before in
    -i | --interface) mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$word") && return ;;
    --progress) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$word") && return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W "auto table json" -- "$word") && return ;;
  esac
  # The program's own help is the list of options.
  options=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help 2> /dev/null | grep -oE -- '--?[a-z][a-z-]*' | sort -u)
  case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -o filenames -F _dynwatch dynwatch
