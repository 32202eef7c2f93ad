# Completes connectid in bash. What can be completed is read from the program's help, so the two cannot differ.
_connectid() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word help value words
  local -a command=()
  # Bash breaks a line at = too: `--output=js` are three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word != -* ]] || break
    command+=("$word")
  done
  help=$("${COMP_WORDS[0]}" "${command[@]}" --help 2>/dev/null) || return 0
  [[ $previous != --* ]] || value=$(sed -nE "s/^  $previous ([^ ]+).*/\1/p" <<<"$help")
  case ${value:-} in
    FILE)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    *'|'*) words=${value//|/ } ;;
    ?*) words='' ;;
    *) words=$(sed -nE 's/^  connectid ([a-z-]+ )*([a-z-]+)  .*/\2/p; s/^  ((-.), )?(--[a-z-]+).*/\2 \3/p' <<<"$help") ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _connectid connectid
