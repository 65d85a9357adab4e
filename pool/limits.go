package pool

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"procpool/parent"
	"procpool/placement"
)

// Limits returns the number of workers that these options mean, and what decided it:
// Procs, if it is set; one for the serial backend; with a launcher, one for each host or
// the tasks of the Slurm allocation; and otherwise the CPUs that this process may use.
// The error is an *OptionsError.
func (o Options) Limits() (placement.Limits, error) {
	switch {
	case o.Backend == Serial && o.Procs == 0:
		return placement.Limits{Procs: 1, DecidedBy: string(Serial)}, nil
	case o.Launcher != "" && o.Procs > 0:
		return placement.Limits{}.WithFlag(o.Procs), nil
	case o.Launcher != "":
		return launcherLimits(o.Hosts)
	}
	limits, err := placement.System{}.Limits()
	if n := parent.Siblings(); n > 1 && err == nil {
		limits = limits.With(placement.Limit{By: placement.ByPool, Procs: max(limits.Procs/n, 1), Source: fmt.Sprintf("a worker beside %d others", n-1)})
	}
	switch {
	case o.Procs > 0:
		return limits.WithFlag(o.Procs), nil
	case err != nil:
		return limits, refuse("%v", err)
	}
	return limits, nil
}

// launcherLimits is how many workers a launcher starts where nobody said: one
// for each host, or else the tasks of the Slurm allocation that this process is
// part of. The CPUs of this machine say nothing about where a launcher leads to.
func launcherLimits(hosts []string) (placement.Limits, error) {
	found := placement.Limit{By: "hosts", Procs: len(hosts), Source: strings.Join(hosts, ",")}
	if len(hosts) == 0 {
		n, err := strconv.Atoi(os.Getenv("SLURM_NTASKS"))
		if os.Getenv("SLURM_JOB_ID") == "" || err != nil || n < 1 {
			return placement.Limits{}, &OptionsError{
				Reason: "with a launcher the number of workers must be said: this machine's CPUs are no measure of others",
				Advice: "name it with --procs N; in a Slurm allocation with -n, and with --hosts, it is known",
			}
		}
		found = placement.Limit{By: placement.BySlurm, Procs: n, Source: "SLURM_NTASKS"}
	}
	return placement.Limits{Procs: found.Procs, DecidedBy: found.By, All: []placement.Limit{found}}, nil
}
