package cli

import (
	"errors"
	"strings"

	"procpool/pool"
)

func launcherFlag() flag {
	return text(groupWhere, "launcher", "", "", "start each worker by `'CMD ARGS'`, such as 'taskset -c {cpu}', 'srun -Q -n1 -N1 --exact' or 'ssh -T {host} {cmd}'; "+
		"{rank} {n} {host} {cpu} {exe} {cmd} stand in words, {argv} and {args} alone")
}

func hostsFlag() flag {
	return text(groupWhere, "hosts", "", "", "`LIST` of hosts that {host} stands for in turn, such as a,b")
}

// readLauncher reads --launcher and --hosts, and refuses what goes with neither.
func readLauncher(c *call, o *pool.Options) error {
	o.Launcher = c.String("launcher")
	if o.Launcher == "" {
		switch {
		case c.IsSet("launcher"):
			return usageHint("--launcher is empty", "for example --launcher nice")
		case c.IsSet("hosts"):
			return usageHint("--hosts needs a launcher that leads there", "for example --launcher 'ssh -T {host} {cmd}'")
		}
		return nil
	}
	if c.IsSet("hosts") {
		o.Hosts = strings.Split(c.String("hosts"), ",")
	}
	return nil
}

// tellUnable is how many workers that did not start are told of one by one;
// where one does not, hundreds may not.
const tellUnable = 3

// notLaunched deals with a worker that its launcher did not start, if err is one.
func (r *running) notLaunched(err error) bool {
	var lost *pool.LostWorkerError
	if !errors.As(err, &lost) || lost.Launcher == "" {
		return false
	}
	if r.unable++; r.unable <= tellUnable || r.verbose {
		r.progress.say("procpool: %s; it is tried again", oneLine(err.Error()))
	}
	return true
}
