#!/bin/sh
# {{.Shares}} shares as a PBS array, and a job that adds them up once all are done. Made by
#     {{.MadeBy}}
# in the syntax of OpenPBS 23; {{.Tried}}. Submit it with: sh FILE [flags for qsub]. What is missing
# later: the same command; shares that are complete end at once.
#
# PBS gives no warning before the time limit, so --deadline stops in time, with exit code 124.
set -eu
array=$(qsub -N {{.Name}} -J 1-{{.Shares}} -r y -j oe -S /bin/sh -l select=1:ncpus={{.Procs}}{{if .MiB}}:mem={{.MiB}}mb{{end}} -l walltime={{.Clock}} "$@" <<'PROCPOOL'
cd "$PBS_O_WORKDIR" || exit 1
share=$PBS_ARRAY_INDEX
journal={{.Name}}-$share.journal
exec {{.Run}}
PROCPOOL
)
qsub -N {{.Name}}-merge -j oe -S /bin/sh -l walltime=01:00:00 -W depend=afterok:"$array" <<'PROCPOOL'
cd "$PBS_O_WORKDIR" || exit 1
{{template "merge" .}}
PROCPOOL
