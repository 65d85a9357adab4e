# fish completion of NAME, by 'NAME completion fish'
function FUNC
  set -l words (commandline -opc) "$(commandline -ct)"
  set -l offers ($words[1] complete $words[2..] 2>/dev/null)
  if string match -q -- "*:files" "$offers"
    __fish_complete_path $words[-1]
  else
    printf '%s\n' $offers
  end
end
complete -c NAME -f -a '(FUNC)'
