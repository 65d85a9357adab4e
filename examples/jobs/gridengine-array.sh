#!/bin/sh
# 100 shares as a Grid Engine array, and a job that adds them up once all have ended. Made by
#     procpool job --engine gridengine --shares 100 --procs 2 -- run --task pi-fast 1e13
# and tried on Grid Engine 8.1.9. Submit it with: sh FILE [flags for qsub].
# What is missing later: the same command; shares that are complete end at once.
#
# Grid Engine sends USR1 at the soft time limit, and with -notify USR2 before it kills. The
# chunks in flight finish, and exit code 99 puts the task into the queue again if it got
# any further. The next start resumes.
set -eu
array=$(qsub -terse -N procpool -t 1-100 -cwd -j y -o 'procpool-$TASK_ID.log' -S /bin/sh -r y -notify \
    -l h_rt=01:00:00,s_rt=00:57:00 -pe "${PE:-smp}" 2 "$@" <<'PROCPOOL'
set -u
share=$SGE_TASK_ID
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
case $code in
138 | 140) [ "$(lines)" -gt "$before" ] && exit 99 ;; # 128 + USR1, USR2
esac
exit $code
PROCPOOL
)
qsub -terse -N procpool-merge -hold_jid "${array%%.*}" -cwd -j y -o procpool-merge.log -S /bin/sh <<'PROCPOOL'
printf 'procpool-%s.journal\0' $(seq 100) | procpool merge --files0-from -
PROCPOOL
