package placement

import (
	"fmt"
	"runtime"
	"strconv"
)

// MaxProcs is the largest number of workers of one run.
const MaxProcs = 4096

// The words of [Limits.DecidedBy] and [Limit.By]. Scripts read them, so they stay.
const (
	ByAffinity = "affinity"       // the CPU affinity mask: taskset, cpusets, Slurm's binding
	ByCPUs     = "cpus"           // the CPUs of the machine, where it has no affinity mask
	ByCgroup   = "cgroup"         // a CPU quota: containers, systemd, Kubernetes
	BySlurm    = "slurm"          // SLURM_CPUS_PER_TASK or SLURM_CPUS_ON_NODE
	ByVariable = "PROCPOOL_PROCS" // the environment variable of this name
	ByMaximum  = "maximum"        // MaxProcs
	ByFlag     = "flag"           // the user's own number, set by [Limits.WithFlag]
)

// A Limit is one reason not to use more workers.
type Limit struct {
	By     string `json:"by"`     // one of the words above
	Procs  int    `json:"procs"`  // at most so many workers
	Source string `json:"source"` // where it was read, for people: "mask 0-3"
}

// Limits is the number of workers and how it came about.
type Limits struct {
	Procs     int      `json:"procs"`           // the least of All: at least 1, at most MaxProcs
	DecidedBy string   `json:"decided_by"`      // the word of the limit that is Procs
	All       []Limit  `json:"all"`             // every limit that applies, in the order of the words above
	Notes     []string `json:"notes,omitempty"` // what was found but ignored, and why
}

// Limits decides how many workers --procs auto means: the least of the CPUs in
// the affinity mask, each cgroup CPU quota up the tree, Slurm's CPUs a task, and
// PROCPOOL_PROCS. Of equals the first in this order decides. GOMAXPROCS has no
// say: it counts the threads of one process, not processes.
//
// A PROCPOOL_PROCS that is no number from 1 to MaxProcs is the only error; the
// Limits beside it hold without it.
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
	return l, err
}

// add takes one more limit into account.
func (l *Limits) add(one Limit) {
	if len(l.All) == 0 || one.Procs < l.Procs {
		l.Procs, l.DecidedBy = one.Procs, one.By
	}
	l.All = append(l.All, one)
}

// WithFlag is l for a user who named the number of workers: the number decides,
// also beyond what is available, and the other limits stay listed.
func (l Limits) WithFlag(procs int) Limits {
	l.Procs, l.DecidedBy = procs, ByFlag
	return l
}

// Available is the limit that the machine and its managers set: the least of All
// without PROCPOOL_PROCS and MaxProcs. More workers than this are oversubscribed:
// they share CPUs. The zero Limits give the zero Limit.
func (l Limits) Available() Limit {
	var least Limit
	for _, one := range l.All {
		if one.By != ByVariable && one.By != ByMaximum && (least.Procs == 0 || one.Procs < least.Procs) {
			least = one
		}
	}
	return least
}

func (s System) cpuLimit() Limit {
	mask, err := s.Mask()
	if err != nil || mask.Empty() {
		return Limit{ByCPUs, runtime.NumCPU(), "the CPUs of this machine"}
	}
	return Limit{ByAffinity, mask.Count(), "mask " + mask.String()}
}

// slurmLimit is what Slurm gave to this task. The variables mean something only
// inside a job: a login shell may have them set to steer sbatch and srun.
// SLURM_CPUS_PER_TASK is there only if the user asked for it; SLURM_CPUS_ON_NODE
// always, for all tasks of the job or step on this node. The zero Limit means
// none, and the note says why if there should have been one.
func (s System) slurmLimit() (Limit, string) {
	if s.getenv("SLURM_JOB_ID") == "" {
		return Limit{}, ""
	}
	for _, name := range []string{"SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"} {
		text := s.getenv(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return Limit{}, fmt.Sprintf("ignored %s, which is %q and not a number above 0", name, text)
		}
		return Limit{BySlurm, n, name}, ""
	}
	return Limit{}, ""
}
