package pool

import (
	"procpool/ipc"
	"procpool/placement"
)

// WorkerStats is the account of one worker's place: sums over the processes
// that filled it, and the last one's identity. A figure below 0 is unknown.
type WorkerStats struct {
	Worker              int
	PID                 int
	Host                string
	CPUs                string // allowed, as a list
	Chunks              int64
	Restarts            int
	StartupSeconds      float64 // from spawn to hello
	BusySeconds         float64 // in tasks
	UserSeconds         float64
	SystemSeconds       float64
	PeakRSSBytes        int64 // the largest of its processes
	MinorFaults         int64
	MajorFaults         int64
	VoluntarySwitches   int64
	InvoluntarySwitches int64
	Migrations          int64
	RanOn               string  // CPUs on which its processes were seen, as a list; "" if unknown
	GC                  *ipc.GC // of its processes; nil without Options.Trace
}

// newStats is the account of a place where nothing has happened yet.
func newStats(i int) WorkerStats {
	return WorkerStats{Worker: i, PeakRSSBytes: -1, MinorFaults: -1, MajorFaults: -1,
		VoluntarySwitches: -1, InvoluntarySwitches: -1, Migrations: -1}
}

// Stats is the account of every worker's place. User and system time, faults
// and switches of a process are known when it has ended: after Close all of them are.
func (p *Pool) Stats() []WorkerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]WorkerStats, 0, len(p.slots))
	for _, s := range p.slots {
		out = append(out, s.stats)
	}
	return out
}

// add adds a process's own account, and what is unknown stays unknown.
func (w *WorkerStats) add(b ipc.Bye) {
	w.UserSeconds += b.UserSeconds
	w.SystemSeconds += b.SystemSeconds
	w.PeakRSSBytes = max(w.PeakRSSBytes, b.PeakRSSBytes)
	w.RanOn = union(w.RanOn, b.RanOn)
	if b.GC != nil {
		if w.GC == nil {
			w.GC = &ipc.GC{}
		}
		w.GC.Cycles += b.GC.Cycles
		w.GC.PauseSeconds += b.GC.PauseSeconds
	}
	for _, f := range []struct {
		sum *int64
		add int64
	}{
		{&w.MinorFaults, b.MinorFaults}, {&w.MajorFaults, b.MajorFaults}, {&w.VoluntarySwitches, b.VoluntarySwitches},
		{&w.InvoluntarySwitches, b.InvoluntarySwitches}, {&w.Migrations, b.Migrations},
	} {
		switch {
		case f.add < 0:
		case *f.sum < 0:
			*f.sum = f.add
		default:
			*f.sum += f.add
		}
	}
}

// union is every CPU of two lists. One that cannot be read counts for nothing.
func union(a, b string) string {
	left, _ := placement.ParseCPUSet(a)
	right, err := placement.ParseCPUSet(b)
	if err != nil {
		return a
	}
	return left.Or(right).String()
}
