#!/bin/sh
# Ends what up.sh began: down.sh DIR PORT, in its namespace.
dir=$1 port=$2
. "$(dirname "$0")/settings.sh"
timeout 10 qdel -f -u '*' >/dev/null
timeout 10 qconf -kej all >/dev/null
timeout 10 qconf -km >/dev/null
tries=100 # of 0.1 s: who removes DIR next must be the last to touch it
while grep -qszx "SGE_ROOT=$SGE_ROOT" /proc/[0-9]*/environ && [ $tries -gt 0 ]; do
    sleep 0.1
    tries=$((tries - 1))
done
exit 0
