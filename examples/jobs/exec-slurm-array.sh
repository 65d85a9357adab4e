#!/bin/sh
#SBATCH --job-name=procpool-exec
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00
#SBATCH --requeue
# A program of yours in a job array; each array task is a share, whose workers run
# the program once a chunk. It is submitted with the merge of all shares by
#
#     SHARES=100 sh slurm-array-submit.sh
#
# SHARES is spelt out: when a single failed share is submitted again (--array=2),
# Slurm counts 1. --resume makes running a share again harmless. A chunk should take
# seconds at least: each is a process of its own.
set -eu
exec procpool exec \
    --share "$SLURM_ARRAY_TASK_ID/$SHARES" \
    --chunk-size "${CHUNK_SIZE:-1_000_000}" \
    --journal "${DIR:-.}/share-$SLURM_ARRAY_TASK_ID.journal" --resume \
    ${SLURM_JOB_END_TIME:+--deadline auto} \
    "${INTERVALS:-1e9}" -- python3 "${PROGRAM:-approx_pi.py}"
