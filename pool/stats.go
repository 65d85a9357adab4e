package pool

import (
	"procpool/ipc"
	"procpool/placement"
)

// WorkerStats reports what one worker did and used. The numbers are sums over the
// worker's processes; PID, Host and CPUs are those of the last one.
type WorkerStats struct {
	Worker         int
	PID            int
	Host           string
	CPUs           string  // CPUs that it may use, as a list
	Chunks         int64   // intervals or inputs answered
	Restarts       int     // processes started after the first
	StartupSeconds float64 // from spawn to hello
	BusySeconds    float64 // spent in tasks
	ipc.Usage              // sums, but for the peak resident set, which is the largest
	RanOn          string  // CPUs on which its processes were seen, as a list; "" if unknown
	GC             *ipc.GC // nil without Options.Trace
}

// Stats returns what each worker did and used. The CPU time, faults and switches of a
// process are known when it has ended, so after Close they are complete.
func (p *Pool) Stats() []WorkerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]WorkerStats, 0, len(p.slots))
	for _, s := range p.slots {
		out = append(out, s.stats)
	}
	return out
}

// add adds the usage that a process reported in its bye.
func (w *WorkerStats) add(b ipc.Bye) {
	w.Usage.Add(b.Usage)
	w.RanOn = union(w.RanOn, b.RanOn)
	if b.GC == nil {
		return
	}
	if w.GC == nil {
		w.GC = &ipc.GC{Cycles: ipc.CountOf(0)}
	}
	had, _ := w.GC.Cycles.Get()
	more, _ := b.GC.Cycles.Get()
	w.GC.Cycles = ipc.CountOf(had + more)
	w.GC.PauseSeconds += b.GC.PauseSeconds
}

// union returns the CPUs of two lists as one list. A list that cannot be parsed counts
// as empty.
func union(a, b string) string {
	left, _ := placement.ParseCPUSet(a)
	right, err := placement.ParseCPUSet(b)
	if err != nil {
		return a
	}
	return left.Or(right).String()
}
