# bash completion of NAME, by 'NAME completion bash'
FUNC() {
  local cur=${COMP_WORDS[COMP_CWORD]} offer
  cur=${cur#=} # --flag=value is three words
  COMPREPLY=()
  while IFS=$'\t' read -r offer _; do
    if [[ $offer = :files ]]; then compopt -o default; fi
    if [[ $offer = "$cur"* ]]; then COMPREPLY+=("$offer"); fi
  done < <("${COMP_WORDS[0]/#\~/$HOME}" complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$cur" 2>/dev/null)
}
complete -F FUNC NAME
