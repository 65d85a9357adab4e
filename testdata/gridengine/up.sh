#!/bin/sh
# A Grid Engine of its own on this machine, for tests: unshare -m sh up.sh DIR PORT BIN
#
# It has one host with four slots, and makes DIR/up when jobs may be submitted. Debian's
# gridengine-master, gridengine-exec and gridengine-client are enough. It must run as root
# in a mount namespace of its own, and so must all commands: Grid Engine refuses a host
# whose name resolves to a loopback address, so /etc/hosts is another one there, and BIN
# takes the place of /usr/local/bin, where jobs look for commands. The script keeps the
# namespace until a signal ends it; down.sh must run before.
set -eu
dir=$1 port=$2 bin=$3
. "$(dirname "$0")/settings.sh"
host=$(hostname)
address=$(hostname -I | cut -d ' ' -f 1)
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$host" >"$dir/hosts"
mount --bind "$dir/hosts" /etc/hosts
mount --bind "$bin" /usr/local/bin

common=$SGE_ROOT/default/common
mkdir -p "$common" "$dir/spool/qmaster/job_scripts" "$dir/spool/execd" "$dir/spooldb"
for part in bin lib util utilbin; do
    ln -s "/var/lib/gridengine/$part" "$SGE_ROOT/$part"
done
echo "$host" >"$common/act_qmaster"
sed "s,/var/spool/gridengine,$dir/spool,; s,$dir/spool/spooldb,$dir/spooldb,; s/^admin_user .*/admin_user none/" \
    /usr/share/gridengine/default-bootstrap >"$common/bootstrap"
/usr/share/gridengine/scripts/init_cluster "$SGE_ROOT" default "$dir/spooldb" root

sge_qmaster
tries=100 # of 0.1 s
until qconf -sh >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ]
    sleep 0.1
done
qconf -as "$host"
# qconf has an editor change an object; this one does what the file edits says.
cat >"$dir/edit" <<'END'
#!/bin/sh
sleep 1 # qconf wants a later time of change, in seconds
sed -i -f "$(dirname "$0")/edits" "$1"
END
chmod +x "$dir/edit"
export EDITOR="$dir/edit"
cat >"$dir/edits" <<END
s/^min_uid .*/min_uid 0/
s/^min_gid .*/min_gid 0/
s,^execd_spool_dir .*,execd_spool_dir $dir/spool/execd,
END
qconf -mconf global
cat >"$dir/edits" <<'END'
s/^schedule_interval .*/schedule_interval 0:0:1/
s/^flush_submit_sec .*/flush_submit_sec 1/
s/^flush_finish_sec .*/flush_finish_sec 1/
END
qconf -msconf
sge_execd
tries=100
until qhost | grep -q "^$host .* [0-9]"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ]
    sleep 0.1
done
echo 's/^slots .*/slots 99/; s/^allocation_rule .*/allocation_rule $pe_slots/' >"$dir/edits"
qconf -ap smp
cat >"$dir/edits" <<END
s/^hostlist .*/hostlist $host/
s/^slots .*/slots 4/
s/^load_thresholds .*/load_thresholds NONE/
s/^pe_list .*/pe_list smp/
s/^notify .*/notify 00:00:05/
END
qconf -aq all.q
touch "$dir/up"
exec sleep infinity
