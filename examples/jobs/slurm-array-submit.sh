#!/bin/sh
# Submits exec-slurm-array.sh as an array of shares, and a job that adds them up once all are done:
#
#     SHARES=100 sh slurm-array-submit.sh
#
# A share that failed: sbatch --array=K exec-slurm-array.sh with the same variables,
# then the merge again. merge itself proves that no share is missing or foreign.
set -eu
export SHARES="${SHARES:-100}" DIR="${DIR:-$PWD}"
here=$(dirname "$0")
array=$(sbatch --parsable --array=1-"$SHARES" --output="$DIR/share-%a.log" "$here/${SCRIPT:-exec-slurm-array.sh}")
sbatch --parsable --dependency=afterok:"$array" --kill-on-invalid-dep=yes --output="$DIR/merge.log" \
    --wrap 'procpool merge "$DIR"/share-*.journal'
