{{define "drain"}}lines() { wc -l 2>/dev/null <"$journal" || echo 0; }
before=$(lines)
run=
trap 'kill -USR1 $run' USR1
trap 'kill -USR2 $run' USR2
trap 'kill -TERM $run' TERM
{{.Run}} &
run=$!
code=130
while kill -0 $run 2>/dev/null; do # a signal ends wait, too
    wait $run
    code=$?
done
trap - USR1 USR2 TERM{{end}}{{define "merge"}}printf '{{.Name}}-%s.journal\0' $(seq {{.Shares}}) | {{.Exe}} merge --files0-from -{{end}}
