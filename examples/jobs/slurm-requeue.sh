#!/bin/sh
#SBATCH --job-name=procpool-requeue
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@90
# A job that may be preempted, and that needs longer than its time limit: it goes
# on where it was each time it is started.
#
# Slurm sends USR1 to this shell 90 s before the limit (B:), and TERM when the
# job is preempted or requeued. Either is passed on: procpool finishes the chunks in
# flight, for which --grace leaves 80 of the 90 seconds, says how far it came and exits
# with 128 + the signal. After USR1 the job puts
# itself into the queue again; after TERM Slurm does. A SIGKILL costs no more
# than the chunks that were running.
set -u
run=
trap 'kill -USR1 $run' USR1
trap 'kill -TERM $run' TERM
procpool run \
    --grace 80s \
    --chunk-size "${CHUNK_SIZE:-100_000_000}" \
    --journal "${DIR:-.}/requeue.journal" --resume \
    --task "${TASK:-pi-fast}" "${INTERVALS:-1e13}" &
run=$!
code=130
while kill -0 $run 2>/dev/null; do # a signal ends wait, too
    wait $run
    code=$?
done
trap - USR1 TERM
if [ $code -eq 138 ]; then # 128 + USR1
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 # be ended by it, not by the end of this script
fi
exit $code
