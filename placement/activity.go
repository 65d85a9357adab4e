package placement

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Activity is where a process ran, as far as /proc tells. Nil, in JSON null,
// means that a figure is not available here, which is not the same as 0.
//
// All but Allowed is taken over the threads that live at the moment of reading:
// what ended threads did is lost. For the sums over a whole process, ended
// threads included, take getrusage of the ended process.
type Activity struct {
	// Allowed is the affinity mask of the main thread.
	Allowed *CPUSet `json:"allowed"`
	// LastCPUs are the CPUs on which the threads last ran, one a thread. It is a
	// sample: a process may have been elsewhere in between. Read often and use Or.
	LastCPUs *CPUSet `json:"last_cpus"`
	// Migrations counts moves from one CPU to another. The kernel tells only if
	// built with CONFIG_SCHED_DEBUG.
	Migrations *int64 `json:"migrations"`
	// VoluntarySwitches counts waits, InvoluntarySwitches preemptions.
	VoluntarySwitches   *int64 `json:"voluntary_switches"`
	InvoluntarySwitches *int64 `json:"involuntary_switches"`
}

// Activity reads /proc/PID of a process that runs; 0 is this process. Of a
// process that has ended nothing is available.
func (s System) Activity(pid int) Activity {
	var a Activity
	dir := procDir(pid)
	if status, err := s.read(dir, "status"); err == nil {
		if list, ok := value(status, "Cpus_allowed_list"); ok {
			if set, err := ParseCPUSet(list); err == nil {
				a.Allowed = &set
			}
		}
	}
	threads, err := fs.ReadDir(s.root(), fsPath(path.Join(dir, "task")))
	if err != nil {
		return a
	}
	for _, thread := range threads {
		// A thread may end between two reads; what was read counts.
		task := path.Join(dir, "task", thread.Name())
		if status, err := s.read(task, "status"); err == nil {
			sum(&a.VoluntarySwitches, number(status, "voluntary_ctxt_switches"))
			sum(&a.InvoluntarySwitches, number(status, "nonvoluntary_ctxt_switches"))
		}
		if sched, err := s.read(task, "sched"); err == nil {
			sum(&a.Migrations, number(sched, "se.nr_migrations"))
		}
		if stat, err := s.read(task, "stat"); err == nil {
			a.ranOn(stat)
		}
	}
	return a
}

// sum adds n to the total, both of which may be unavailable.
func sum(total **int64, n *int64) {
	switch {
	case n == nil:
	case *total == nil:
		*total = n
	default:
		**total += *n
	}
}

// ranOn adds field 39 of a thread's stat, "CPU number last executed on" in
// proc_pid_stat(5). Fields are counted from 1; the second one is the name in
// parentheses, in which anything may stand.
func (a *Activity) ranOn(stat string) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const cpu = 39 - 3 // the first field behind the name is the third
	if len(fields) <= cpu {
		return
	}
	n, err := strconv.Atoi(fields[cpu])
	if err != nil || n < 0 || n >= MaxCPUs {
		return
	}
	set := NewCPUSet(n)
	if a.LastCPUs != nil {
		set = set.Or(*a.LastCPUs)
	}
	a.LastCPUs = &set
}
