#!/bin/sh
# Shares under GNU parallel, on this machine, or with --sshlogin on others that see the
# same directory. parallel decides where a share runs, and procpool runs its chunks.
# After a failure, or a kill, the same command does only what is missing.
set -eu
shares=${SHARES:-4}
cd "${DIR:-.}"
seq "$shares" | parallel --will-cite -q --halt soon,fail=1 \
    procpool exec --procs 1 --quiet \
    --share "{}/$shares" \
    --chunk-size "${CHUNK_SIZE:-1_000_000}" \
    --journal share-{}.journal --resume \
    "${INTERVALS:-1e9}" -- python3 "${PROGRAM:-approx_pi.py}" >/dev/null
procpool merge $(seq -f 'share-%g.journal' "$shares")
