#!/bin/sh
# {{.Shares}} shares by GNU parallel, and their sum. Made by
#     {{.MadeBy}}
# and tried with GNU parallel 20221122. Run it with: sh FILE [flags for parallel], such as -S host1,host2
# --workdir . where the directory is shared. Started again it resumes.
#
# A first signal lets the chunks in flight finish; parallel sends the next after 90 s.
set -eu
case $0 in /*) file=$0 ;; *) file=$PWD/$0 ;; esac
if [ "${1-}" = --one-share ]; then
    share=$2
    journal={{.Name}}-$share.journal
    exec {{.Run}}
fi
cpus=$(getconf _NPROCESSORS_ONLN)
jobs=$((cpus / {{.Procs}}))
seq {{.Shares}} | parallel --will-cite --quote --jobs $((jobs > 0 ? jobs : 1)) --retries 3 --termseq TERM,90000,KILL,25 \
    --halt soon,fail=1 --joblog {{.Name}}.joblog "$@" sh "$file" --one-share '{}'
{{template "merge" .}} >{{.Name}}.sum
cat {{.Name}}.sum
