#!/bin/sh
# For cron, every hour:
#
#     0 * * * *  sh /path/to/cron.sh
#
# Only one runs at a time: one that finds another leaves without a word. Each
# stops in time for the next, exit code 124, and the next goes on where it was.
# When all is done the result is in the file, and further calls do nothing.
# cron mails what is on stderr: only real failures.
set -u
dir=${DIR:-$HOME/procpool}
mkdir -p "$dir" && cd "$dir" || exit 1
exec 9>lock
flock --nonblock 9 || exit 0
[ -s result ] && exit 0
procpool run \
    --chunk-size "${CHUNK_SIZE:-100_000_000}" \
    --journal cron.journal --resume \
    --deadline "${DEADLINE:-55m}" \
    --task "${TASK:-pi-fast}" "${INTERVALS:-1e13}" >result.new 2>log 9>&-
code=$?
case $code in
0) mv result.new result ;;
124) ;; # to be continued
*)
    cat log >&2
    exit $code
    ;;
esac
