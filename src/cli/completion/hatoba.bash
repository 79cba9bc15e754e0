# bash completion for hatoba

_hatoba() {
  # readline also splits words at = and : (COMP_WORDBREAKS); hatoba takes them whole.
  local word previous='' words=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((${#words[@]} > 0)) && [[ $word == [=:]* || $previous == *[=:] ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    previous=$word
  done
  # What readline took for words of their own is not to be inserted again.
  local current=${words[-1]}
  local before=${current%"${current##*[=:]}"}
  local candidate
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    COMPREPLY+=("${candidate#"$before"}")
  done < <("$1" __complete "${words[@]}" 2>/dev/null)
}

complete -F _hatoba hatoba
