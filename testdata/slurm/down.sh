#!/bin/sh
# Ends what up.sh began: down.sh DIR
dir=$1
export SLURM_CONF="$dir/slurm.conf"
timeout 10 scancel --quiet --user="$(id -un)" --signal=KILL --full 2>/dev/null
timeout 10 scancel --quiet --user="$(id -un)" 2>/dev/null
for file in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null
    tries=100 # of 0.1 s: who removes DIR next must be the last to touch it
    while kill -0 "$pid" 2>/dev/null && [ $tries -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
done
exit 0
