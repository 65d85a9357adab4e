#!/bin/sh
# Ends what up.sh began: down.sh DIR
dir=$1
export SLURM_CONF="$dir/slurm.conf"
timeout 10 scancel --quiet --user="$(id -un)" --signal=KILL --full 2>/dev/null
timeout 10 scancel --quiet --user="$(id -un)" 2>/dev/null
for file in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
    [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null
done
exit 0
