package pool

import (
	"procpool/ipc"
	"procpool/placement"
)

// WorkerStats is what one worker did and used: sums over its processes, and the identity
// of the last.
type WorkerStats struct {
	Worker         int
	PID            int
	Host           string
	CPUs           string // allowed, as a list
	Chunks         int64
	Restarts       int
	StartupSeconds float64 // from spawn to hello
	BusySeconds    float64 // in tasks
	ipc.Usage              // of its processes; the peak is the largest of theirs
	RanOn          string  // CPUs on which its processes were seen, as a list; "" if unknown
	GC             *ipc.GC // of its processes; nil without Options.Trace
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

// add adds what a process said of itself at its end.
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

// union is every CPU of two lists. One that cannot be read counts for nothing.
func union(a, b string) string {
	left, _ := placement.ParseCPUSet(a)
	right, err := placement.ParseCPUSet(b)
	if err != nil {
		return a
	}
	return left.Or(right).String()
}
