#!/bin/sh
# 100 shares as a Slurm array, and a job that adds them up once all are done. Made by
#     procpool job --engine slurm --shares 100 --procs 2 -- run --task pi-fast 1e13
# and tried on Slurm 22.05. Submit it with: sh FILE [flags for sbatch]. What is missing
# later: sh FILE --array=$(procpool status --missing procpool-*.journal)
#
# Slurm sends USR1 90 s before the time limit. The chunks in flight finish, and the task
# puts itself into the queue again if it got any further. The next start resumes.
set -eu
array=$(sbatch --parsable "$@" <<'PROCPOOL'
#!/bin/sh
#SBATCH --job-name=procpool
#SBATCH --array=1-100
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@90
#SBATCH --output=procpool-%a.log
set -u
share=$SLURM_ARRAY_TASK_ID
journal=procpool-$share.journal
lines() { wc -l 2>/dev/null <"$journal" || echo 0; }
before=$(lines)
run=
trap 'kill -USR1 $run' USR1
trap 'kill -USR2 $run' USR2
trap 'kill -TERM $run' TERM
procpool run --share "$share/100" --journal "$journal" --resume --grace 80s --task pi-fast 1e13 &
run=$!
code=130
while kill -0 $run 2>/dev/null; do # a signal ends wait, too
    wait $run
    code=$?
done
trap - USR1 USR2 TERM
if [ $code -eq 138 ] && [ "$(lines)" -gt "$before" ]; then # 128 + USR1
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 # be ended by it, not by the end of this script
fi
exit $code
PROCPOOL
)
sbatch --parsable --dependency=afterok:"$array" --kill-on-invalid-dep=yes <<'PROCPOOL'
#!/bin/sh
#SBATCH --job-name=procpool-merge
#SBATCH --time=01:00:00
#SBATCH --output=procpool-merge.log
printf 'procpool-%s.journal\0' $(seq 100) | procpool merge --files0-from -
PROCPOOL
