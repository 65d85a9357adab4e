#!/bin/sh
#SBATCH --job-name=procpool-steps
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
# One run over all nodes of an allocation: every worker is a job step of its
# own, and their number is --ntasks. procpool itself runs here, in the batch
# script, and costs little.
#
# -Q       no remarks on stderr that are no errors
# --exact  a step takes what it asks for; without it, the whole node
# -c       is not inherited from sbatch since Slurm 22.05
# --mpi    where MPI is the default, starting it would be in vain
# --immediate  an error instead of waiting for ever for a slot that others have
set -eu
exec procpool run \
    --launcher "srun -Q -n1 -N1 -c${SLURM_CPUS_PER_TASK:-1} --exact --mpi=none --immediate=60" \
    --chunk-size "${CHUNK_SIZE:-1_000_000_000}" \
    --journal "${DIR:-.}/steps.journal" --resume \
    ${SLURM_JOB_END_TIME:+--deadline auto} \
    --task "${TASK:-pi-fast}" "${INTERVALS:-1e13}"
