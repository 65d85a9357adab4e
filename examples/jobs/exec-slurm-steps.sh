#!/bin/sh
#SBATCH --job-name=procpool-exec-steps
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
# A program of yours on all nodes of an allocation. A job step is a worker, and stays
# for the whole run: a chunk costs a process on its node, and no step of its own.
# slurm-steps.sh explains the flags of srun.
set -eu
exec procpool exec \
    --launcher "srun -Q -n1 -N1 -c${SLURM_CPUS_PER_TASK:-1} --exact --mpi=none --immediate=60" \
    --chunk-size "${CHUNK_SIZE:-1_000_000}" \
    --journal "${DIR:-.}/steps.journal" --resume \
    ${SLURM_JOB_END_TIME:+--deadline auto} \
    "${INTERVALS:-1e9}" -- python3 "${PROGRAM:-approx_pi.py}"
