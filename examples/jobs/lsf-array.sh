#!/bin/sh
# 100 shares as an LSF array, and a job that adds them up once all are done. Made by
#     procpool job --engine lsf --shares 100 --procs 2 -- run --task pi-fast 1e13
# in the syntax of LSF 10.1; nobody has run it. Submit it with: sh FILE [flags for bsub]. What is missing
# later: the same command; shares that are complete end at once.
#
# LSF sends USR2 two minutes before the time limit. The chunks in flight finish, and exit
# code 99 puts the element into the queue again if it got any further. The next start resumes.
set -eu
array=$(bsub -J 'procpool[1-100]' -n 2 -R 'span[hosts=1]' -W 60 \
    -r -Q 99 -wa USR2 -wt 2 -o 'procpool-%I.log' "$@" <<'PROCPOOL'
set -u
share=$LSB_JOBINDEX
journal=procpool-$share.journal
lines() { wc -l 2>/dev/null <"$journal" || echo 0; }
before=$(lines)
run=
trap 'kill -USR1 $run' USR1
trap 'kill -USR2 $run' USR2
trap 'kill -TERM $run' TERM
procpool run --share "$share/100" --journal "$journal" --resume --grace 80s --task pi-fast 1e13 &
run=$!
code=130
while kill -0 $run 2>/dev/null; do # a signal ends wait, too
    wait $run
    code=$?
done
trap - USR1 USR2 TERM
if [ $code -eq 140 ] && [ "$(lines)" -gt "$before" ]; then # 128 + USR2
    exit 99
fi
exit $code
PROCPOOL
)
array=${array#*<}
bsub -J procpool-merge -W 60 -w "done(${array%%>*})" -o procpool-merge.log <<'PROCPOOL'
printf 'procpool-%s.journal\0' $(seq 100) | procpool merge --files0-from -
PROCPOOL
