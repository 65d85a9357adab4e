#!/bin/sh
# {{.Shares}} shares as a Grid Engine array, and a job that adds them up once all have ended. Made by
#     {{.MadeBy}}
# and tried on Grid Engine 8.1.9. Submit it with: sh FILE [flags for qsub].
# What is missing later: the same command; shares that are complete end at once.
#
# Grid Engine sends USR1 at the soft time limit, and with -notify USR2 before it kills. The
# chunks in flight finish, and exit code 99 puts the task into the queue again if it got
# any further. The next start resumes.
set -eu
array=$(qsub -terse -N {{.Name}} -t 1-{{.Shares}} -cwd -j y -o '{{.Name}}-$TASK_ID.log' -S /bin/sh -r y -notify \
    -l h_rt={{.Clock}},s_rt={{.SoftClock}}{{if .MiB}} -l h_vmem={{.MiB}}M{{end}}{{if gt .Procs 1}} -pe "${PE:-smp}" {{.Procs}}{{end}} "$@" <<'PROCPOOL'
set -u
share=$SGE_TASK_ID
journal={{.Name}}-$share.journal
{{template "drain" .}}
case $code in
138 | 140) [ "$(lines)" -gt "$before" ] && exit 99 ;; # 128 + USR1, USR2
esac
exit $code
PROCPOOL
)
qsub -terse -N {{.Name}}-merge -hold_jid "${array%%.*}" -cwd -j y -o {{.Name}}-merge.log -S /bin/sh <<'PROCPOOL'
{{template "merge" .}}
PROCPOOL
