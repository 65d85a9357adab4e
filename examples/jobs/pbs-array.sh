#!/bin/sh
# 100 shares as a PBS array, and a job that adds them up once all are done. Made by
#     procpool job --engine pbs --shares 100 --procs 2 -- run --task pi-fast 1e13
# in the syntax of OpenPBS 23; nobody has run it. Submit it with: sh FILE [flags for qsub]. What is missing
# later: the same command; shares that are complete end at once.
#
# PBS gives no warning before the time limit, so --deadline stops in time, with exit code 124.
set -eu
array=$(qsub -N procpool -J 1-100 -r y -j oe -S /bin/sh -l select=1:ncpus=2 -l walltime=01:00:00 "$@" <<'PROCPOOL'
cd "$PBS_O_WORKDIR" || exit 1
share=$PBS_ARRAY_INDEX
journal=procpool-$share.journal
exec procpool run --share "$share/100" --journal "$journal" --resume --grace 80s --deadline 57m0s --task pi-fast 1e13
PROCPOOL
)
qsub -N procpool-merge -j oe -S /bin/sh -l walltime=01:00:00 -W depend=afterok:"$array" <<'PROCPOOL'
cd "$PBS_O_WORKDIR" || exit 1
printf 'procpool-%s.journal\0' $(seq 100) | procpool merge --files0-from -
PROCPOOL
