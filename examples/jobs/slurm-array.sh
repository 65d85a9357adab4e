#!/bin/sh
#SBATCH --job-name=procpool-share
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
#SBATCH --requeue
# One share of a job array; slurm-array-submit.sh submits all of them, and what
# adds them up.
#
# SHARES is spelt out rather than taken from SLURM_ARRAY_TASK_COUNT: when a
# single failed share is submitted again (--array=2), Slurm counts 1.
# --chunk-size and not --procs decides the cuts, so shares fit together
# whatever machine they ran on. --resume makes running a share again harmless.
# The deadline is Slurm's own, where Slurm (since 23.02) tells it: what is
# finished by then is kept.
set -eu
exec procpool run \
    --share "$SLURM_ARRAY_TASK_ID/$SHARES" \
    --chunk-size "${CHUNK_SIZE:-1_000_000_000}" \
    --journal "${DIR:-.}/share-$SLURM_ARRAY_TASK_ID.journal" --resume \
    ${SLURM_JOB_END_TIME:+--deadline auto} \
    --task "${TASK:-pi-fast}" "${INTERVALS:-1e13}"
