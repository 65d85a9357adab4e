#!/bin/sh
# {{.Shares}} shares as an LSF array, and a job that adds them up once all are done. Made by
#     {{.MadeBy}}
# in the syntax of LSF 10.1; {{.Tried}}. Submit it with: sh FILE [flags for bsub]. What is missing
# later: the same command; shares that are complete end at once.
#
# LSF sends USR2 two minutes before the time limit. The chunks in flight finish, and exit
# code 99 puts the element into the queue again if it got any further. The next start resumes.
set -eu
array=$(bsub -J '{{.Name}}[1-{{.Shares}}]' -n {{.Procs}} -R 'span[hosts=1]' -W {{.Minutes}}{{if .MiB}} -M {{.MiB}}MB{{end}} \
    -r -Q 99 -wa USR2 -wt 2 -o '{{.Name}}-%I.log' "$@" <<'PROCPOOL'
set -u
share=$LSB_JOBINDEX
journal={{.Name}}-$share.journal
{{template "drain" .}}
if [ $code -eq 140 ] && [ "$(lines)" -gt "$before" ]; then # 128 + USR2
    exit 99
fi
exit $code
PROCPOOL
)
array=${array#*<}
bsub -J {{.Name}}-merge -W 60 -w "done(${array%%>*})" -o {{.Name}}-merge.log <<'PROCPOOL'
{{template "merge" .}}
PROCPOOL
