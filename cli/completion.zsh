#compdef NAME
# zsh completion of NAME, by 'NAME completion zsh'
FUNC() {
  local -a offers
  offers=("${(@f)$($~words[1] complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $offers[1] = *:files ]]; then
    compset -P '*='
    _files
  else
    offers=("${(@)offers//:/\\:}")
    offers=("${(@)offers/$'\t'/:}")
    _describe -t offers offer offers
  fi
}
if [ "$funcstack[1]" = FUNC ]; then
  FUNC "$@"
else
  compdef FUNC NAME
fi
