#!/bin/sh
# 100 shares by GNU parallel, and their sum. Made by
#     procpool job --engine parallel --shares 100 --procs 2 -- run --task pi-fast 1e13
# and tried with GNU parallel 20221122. Run it with: sh FILE [flags for parallel], such as -S host1,host2
# --workdir . where the directory is shared. Started again it resumes.
#
# A first signal lets the chunks in flight finish; parallel sends the next after 90 s.
set -eu
case $0 in /*) file=$0 ;; *) file=$PWD/$0 ;; esac
if [ "${1-}" = --one-share ]; then
    share=$2
    journal=procpool-$share.journal
    exec procpool run --share "$share/100" --journal "$journal" --resume --grace 80s --procs 2 --task pi-fast 1e13
fi
cpus=$(getconf _NPROCESSORS_ONLN)
jobs=$((cpus / 2))
seq 100 | parallel --will-cite --quote --jobs $((jobs > 0 ? jobs : 1)) --retries 3 --termseq TERM,90000,KILL,25 \
    --halt soon,fail=1 --joblog procpool.joblog "$@" sh "$file" --one-share '{}'
printf 'procpool-%s.journal\0' $(seq 100) | procpool merge --files0-from - >procpool.sum
cat procpool.sum
