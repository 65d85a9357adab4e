#!/bin/sh
# A Slurm of its own on this machine, for tests: up.sh DIR [NODES=2] [CPUS=2] [PORT=17100]
#
# Several slurmd on one host stand for as many nodes, all listeners are on the
# loopback interface, nothing is written outside DIR (absolute), and nobody needs to be
# root. Debian's packages are enough: slurmctld slurmd slurm-client munge.
# Afterwards: export SLURM_CONF=DIR/slurm.conf; down.sh DIR ends it.
set -eu
dir=$1 nodes=${2:-2} cpus=${3:-2} port=${4:-17100}
PATH=$PATH:/usr/sbin:/sbin
host=$(hostname -s) me=$(id -un)
getent hosts "$host" >/dev/null || {
    echo "the host name must resolve: add '127.0.0.1 $host' to /etc/hosts" >&2
    exit 1
}

# munged wants its socket below directories that all may search, its key below one that only it may.
mkdir -p "$dir/munge" "$dir/state"
chmod 755 "$dir"
chmod 700 "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=128 count=1 2>/dev/null
chmod 600 "$dir/munge/key"

# cred_expire is also how long a requeued job waits; the default is two minutes, the least 5 s.
# proctrack/linuxproc and CgroupPlugin=disabled work where cgroups do not.
cat >"$dir/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
PropagateResourceLimits=NONE
ReturnToService=2
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=n[1-$nodes] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=$cpus State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
case $(slurmctld -V) in # releases before 24.11 do not know the word
*" 2"[0-3].* | *" 24.0"*) ;;
*) echo CgroupPlugin=disabled >"$dir/cgroup.conf" ;;
esac

munged --socket="$dir/munge.sock" --key-file="$dir/munge/key" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" --num-threads=2
export SLURM_CONF="$dir/slurm.conf"
slurmctld -i
i=1
while [ $i -le "$nodes" ]; do
    mkdir -p "$dir/spool.n$i"
    slurmd -N n$i
    i=$((i + 1))
done

until=$(($(date +%s) + 60))
until [ "$(timeout 5 sinfo -h -N -t idle -o %n 2>/dev/null | wc -l)" = "$nodes" ]; do
    [ "$(date +%s)" -lt $until ] || {
        timeout 5 sinfo
        tail -n 5 "$dir"/*.log >&2
        exit 1
    }
    sleep 0.05
done
