package placement

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
)

// MaxProcs is the largest number of workers of one run.
const MaxProcs = 4096

// Values of [Limits.DecidedBy] and [Limit.By]. Scripts read them, so they do not
// change.
const (
	ByAffinity = "affinity"       // CPU affinity mask: taskset, cpusets, Slurm's binding
	ByCPUs     = "cpus"           // number of CPUs, if the system has no affinity mask
	ByCgroup   = "cgroup"         // CPU quota: containers, systemd, Kubernetes
	BySlurm    = "slurm"          // SLURM_CPUS_PER_TASK or SLURM_CPUS_ON_NODE
	ByGrid     = "gridengine"     // NSLOTS of Grid Engine
	ByPBS      = "pbs"            // NCPUS or PBS_NP
	ByLSF      = "lsf"            // LSB_DJOB_NUMPROC
	ByVariable = "PROCPOOL_PROCS" // environment variable of this name
	ByMaximum  = "maximum"        // MaxProcs
	ByThreads  = "threads"        // how many processes and threads there may be; listed only if it allows less than the others
	ByPool     = "pool"           // a worker's share of the CPUs of its pool, applied by [Limits.With]
	ByFlag     = "flag"           // --procs, applied by [Limits.WithFlag]
)

// A Limit is one limit on the number of workers.
type Limit struct {
	By     string `json:"by"`     // one of the constants above
	Procs  int    `json:"procs"`  // largest number of workers
	Source string `json:"source"` // where it was read: "mask 0-3"
}

// Limits is the number of workers and the limits that led to it.
type Limits struct {
	Procs     int      `json:"procs"`           // smallest of All, from 1 to MaxProcs, unless DecidedBy is ByFlag
	DecidedBy string   `json:"decided_by"`      // By of the limit that gave Procs
	All       []Limit  `json:"all"`             // every limit that applies, in the order of the constants above
	Notes     []string `json:"notes,omitempty"` // settings that were ignored, and why
}

// Limits decides how many workers --procs auto means: the smallest of the number
// of CPUs in the affinity mask, each CPU quota of the cgroup and those above it,
// Slurm's CPUs per task, PROCPOOL_PROCS, and what limits on threads leave room for. If two are equal, the first in this
// order decides. GOMAXPROCS is not considered, since it limits the threads of one
// process.
//
// The only error is a PROCPOOL_PROCS that is not a number from 1 to MaxProcs. The
// Limits returned with it are valid and ignore the variable.
func (s System) Limits() (Limits, error) {
	var l Limits
	l.add(s.cpuLimit())
	quotas, notes := s.Quotas()
	for _, q := range quotas {
		l.add(Limit{ByCgroup, q.Procs(), fmt.Sprintf("%s = %s, %.3g CPUs", q.Path, q.Source, q.CPUs)})
	}
	l.Notes = append(l.Notes, notes...)
	slurm, note := s.slurmLimit()
	if slurm.Procs > 0 {
		l.add(slurm)
	}
	if note != "" {
		l.Notes = append(l.Notes, note)
	}
	for _, e := range slotVariables {
		one, note := s.slots(e.by, e.names...)
		if one.Procs > 0 {
			l.add(one)
		}
		if note != "" {
			l.Notes = append(l.Notes, note)
		}
	}
	var err error
	if text := s.getenv(ByVariable); text != "" {
		var n int
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > MaxProcs {
			err = fmt.Errorf("%s is %q: it must be a number from 1 to %d", ByVariable, text, MaxProcs)
		} else {
			l.add(Limit{ByVariable, n, "the environment"})
		}
	}
	if l.Procs > MaxProcs {
		l.add(Limit{ByMaximum, MaxProcs, "the most workers of one run"})
	}
	for _, t := range s.threadLimits(threadsOf(l.Procs, 1)) {
		if fit := max(t.fit(1), 1); fit < l.Procs {
			l.add(Limit{ByThreads, fit, fmt.Sprintf("%s = %d, %d are in use", t.Source, t.Max, t.Used)})
		}
	}
	return l, err
}

// add adds a limit to l.
func (l *Limits) add(one Limit) {
	if len(l.All) == 0 || one.Procs < l.Procs {
		l.Procs, l.DecidedBy = one.Procs, one.By
	}
	l.All = append(l.All, one)
}

// With returns l with one more limit.
func (l Limits) With(one Limit) Limits {
	l.All = append(slices.Clone(l.All), one)
	if one.Procs < l.Procs {
		l.Procs, l.DecidedBy = one.Procs, one.By
	}
	return l
}

// WithFlag returns l with the number of workers that the user asked for. It may
// exceed the limits, which stay listed.
func (l Limits) WithFlag(procs int) Limits {
	l.Procs, l.DecidedBy = procs, ByFlag
	return l
}

// Available returns the smallest limit of the machine: of the mask, the quotas and
// Slurm, but not of PROCPOOL_PROCS, MaxProcs and threads. More workers than that share CPUs.
// The zero Limits return the zero Limit.
func (l Limits) Available() Limit {
	var least Limit
	for _, one := range l.All {
		if one.By != ByVariable && one.By != ByMaximum && one.By != ByThreads && (least.Procs == 0 || one.Procs < least.Procs) {
			least = one
		}
	}
	return least
}

// cpuLimit returns the limit by CPUs.
func (s System) cpuLimit() Limit {
	mask, err := s.Mask()
	if err != nil || mask.Empty() {
		return Limit{ByCPUs, runtime.NumCPU(), "the CPUs of this machine"}
	}
	return Limit{ByAffinity, mask.Count(), "mask " + mask.String()}
}

// slurmLimit returns the CPUs that Slurm gave to this task. It returns the zero
// Limit outside of Slurm jobs, where a login shell may set the variables for sbatch
// and srun, and for an invalid variable, which the note then names. Slurm sets
// SLURM_CPUS_PER_TASK only if the user asked for it, and SLURM_CPUS_ON_NODE always,
// for all tasks of the job or step on this node.
func (s System) slurmLimit() (Limit, string) {
	if s.getenv("SLURM_JOB_ID") == "" {
		return Limit{}, ""
	}
	return s.slots(BySlurm, "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")
}

// slotVariables are the variables with which other engines tell a job its CPUs. Their
// names are those of the engine, so no other variable must say that this is a job.
var slotVariables = []struct {
	by    string
	names []string
}{{ByGrid, []string{"NSLOTS"}}, {ByPBS, []string{"NCPUS", "PBS_NP"}}, {ByLSF, []string{"LSB_DJOB_NUMPROC"}}}

// slots returns the limit in the first of the variables that is set, or a note if it is
// invalid.
func (s System) slots(by string, names ...string) (Limit, string) {
	for _, name := range names {
		text := s.getenv(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return Limit{}, fmt.Sprintf("ignored %s, which is %q and not a number above 0", name, text)
		}
		return Limit{by, n, name}, ""
	}
	return Limit{}, ""
}
