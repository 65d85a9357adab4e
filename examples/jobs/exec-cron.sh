#!/bin/sh
# For cron, every hour:
#
#     0 * * * *  sh /path/to/exec-cron.sh
#
# Needs no flock: a run locks its journal, and one that finds it in use leaves without
# a word. Each stops in time for the next, exit code 124, and the next goes on where it
# was. When all is done the result is in the file, and further calls do nothing.
# cron mails what is on stderr: only real failures.
set -u
dir=${DIR:-$HOME/procpool}
mkdir -p "$dir" && cd "$dir" || exit 1
[ -s result ] && exit 0
trap 'rm -f result.$$ log.$$' EXIT
procpool exec \
    --chunk-size "${CHUNK_SIZE:-1_000_000}" \
    --journal cron.journal --resume \
    --deadline "${DEADLINE:-55m}" \
    "${INTERVALS:-1e9}" -- python3 "${PROGRAM:-approx_pi.py}" >result.$$ 2>log.$$
code=$?
case $code in
0) mv result.$$ result ;;
124) ;; # to be continued
*)
    grep -q 'is in use by another process' log.$$ && exit 0
    cat log.$$ >&2
    exit $code
    ;;
esac
