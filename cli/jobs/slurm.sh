#!/bin/sh
# {{.Shares}} shares as a Slurm array, and a job that adds them up once all are done. Made by
#     {{.MadeBy}}
# and tried on Slurm 22.05. Submit it with: sh FILE [flags for sbatch]. What is missing
# later: sh FILE --array=$({{.Exe}} status --missing {{.Name}}-*.journal)
#
# Slurm sends USR1 90 s before the time limit. The chunks in flight finish, and the task
# puts itself into the queue again if it got any further. The next start resumes.
set -eu
array=$(sbatch --parsable "$@" <<'PROCPOOL'
#!/bin/sh
#SBATCH --job-name={{.Name}}
#SBATCH --array=1-{{.Shares}}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{.Procs}}
#SBATCH --time={{.Clock}}
{{if .MiB}}#SBATCH --mem={{.MiB}}M
{{end}}#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@90
#SBATCH --output={{.Name}}-%a.log
set -u
share=$SLURM_ARRAY_TASK_ID
journal={{.Name}}-$share.journal
{{template "drain" .}}
if [ $code -eq 138 ] && [ "$(lines)" -gt "$before" ]; then # 128 + USR1
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 # be ended by it, not by the end of this script
fi
exit $code
PROCPOOL
)
sbatch --parsable --dependency=afterok:"$array" --kill-on-invalid-dep=yes <<'PROCPOOL'
#!/bin/sh
#SBATCH --job-name={{.Name}}-merge
#SBATCH --time=01:00:00
#SBATCH --output={{.Name}}-merge.log
{{template "merge" .}}
PROCPOOL
