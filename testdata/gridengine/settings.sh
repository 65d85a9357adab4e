# The environment of a Grid Engine in $dir at $port; see up.sh.
export SGE_ROOT="$dir/root" SGE_CELL=default SGE_QMASTER_PORT="$port" SGE_EXECD_PORT=$((port + 1))
