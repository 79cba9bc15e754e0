#compdef hatoba
# zsh completion for hatoba

_hatoba() {
  local -a candidates
  local word brief
  while IFS=$'\t' read -r word brief; do
    candidates+=("${word//:/\\:}${brief:+:$brief}")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe hatoba candidates
}

# As a file in fpath the first call loads this and completes at once; sourced, it registers itself.
if [[ "${funcstack[1]}" == _hatoba ]]; then
  _hatoba "$@"
else
  compdef _hatoba hatoba
fi
