package placement

import (
	"fmt"
	"strings"
)

// BindingOptions says what to bind and to what. The zero value is a plan for no
// worker; none of the fields is changed.
type BindingOptions struct {
	// Bind is none (or empty), close, spread, or a list of CPUs. The words are those
	// of OMP_PROC_BIND with OMP_PLACES=cores:
	//
	//   - close puts workers on consecutive cores, neighbours first;
	//   - spread puts them as far apart as it can: evenly over sockets, in each over
	//     its NUMA nodes, in each over its cores.
	//
	// Both give each worker one CPU (Width CPUs) and use the SMT siblings of a core
	// only after every core has a worker. Worker numbers follow the order of cores.
	//
	// A list has the syntax of [ParseCPUSet]. With / between parts, worker 0 gets the
	// first one and so on: 0-1/2-3. Without /, every worker gets the whole list.
	Bind string
	// Workers is their number.
	Workers int
	// Width is how many CPUs close and spread give each worker, which should be its
	// GOMAXPROCS. 0 means 1.
	Width int
	// Mask is the CPUs that may be used, from [System.Mask].
	Mask CPUSet
	// Topology is the machine, from [System.Topology]. The zero value is a machine
	// where each CPU is a core.
	Topology Topology
}

// A Binding says which CPUs each worker may use, for as long as the run lasts: a
// worker that replaces another gets the same ones.
type Binding struct {
	// CPUs has one set a worker. The empty set means that it is not bound.
	CPUs []CPUSet
	// Notes are remarks for the user; one about too many workers starts with
	// "oversubscribed".
	Notes []string
}

// NewBinding makes the plan. It uses only CPUs of the mask. Every error is a
// mistake in Bind: a word it does not know, a bad list, a CPU outside the mask;
// or close and spread with an empty mask, as where System.Mask gave an error.
func NewBinding(o BindingOptions) (Binding, error) {
	switch o.Bind {
	case "", "none":
		return Binding{CPUs: make([]CPUSet, o.Workers)}, nil
	case "close":
		return planCores(o, closest)
	case "spread":
		return planCores(o, spread)
	}
	return planList(o)
}

func planList(o BindingOptions) (Binding, error) {
	if strings.Trim(o.Bind, "0123456789-,:/ ") != "" {
		return Binding{}, fmt.Errorf("%q is neither none, close or spread nor a CPU list such as 0-3,8 or 0-1/2-3", o.Bind)
	}
	var sets []CPUSet
	for part := range strings.SplitSeq(o.Bind, "/") {
		set, err := ParseCPUSet(part)
		if err != nil {
			return Binding{}, err
		}
		if set.Empty() {
			return Binding{}, fmt.Errorf("CPU list %q has nothing for worker %d", o.Bind, len(sets))
		}
		if outside := set.Minus(o.Mask); !outside.Empty() {
			return Binding{}, fmt.Errorf("CPU %v is outside the CPUs that this process may use, %v", outside, o.Mask)
		}
		sets = append(sets, set)
	}
	var p Binding
	for w := range o.Workers {
		p.CPUs = append(p.CPUs, sets[w%len(sets)])
	}
	if len(sets) > o.Workers {
		p.note("the list has %d parts for %d workers: the rest is not used", len(sets), o.Workers)
	}
	if len(sets) > 1 && len(sets) < o.Workers {
		p.note("oversubscribed: %d workers on a list of %d parts, which starts over with worker %d", o.Workers, len(sets), len(sets))
	} else {
		p.noteCrowd(1)
	}
	return p, nil
}

// planCores deals the CPUs out one by one, Width to each worker.
func planCores(o BindingOptions, pick func([]core, int) []core) (Binding, error) {
	if o.Mask.Empty() {
		return Binding{}, fmt.Errorf("no CPU to bind to: the mask is empty")
	}
	cores := o.Topology.within(o.Mask).cores()
	width := max(o.Width, 1)
	want := o.Workers * width
	order := deal(cores, want, pick)
	var p Binding
	for w := range o.Workers {
		var set CPUSet
		for _, c := range order[w*width : (w+1)*width] {
			set.add(c.ID)
		}
		p.CPUs = append(p.CPUs, set)
	}
	p.noteCrowd(width)
	if want > len(cores) && want <= o.Mask.Count() {
		p.note("SMT siblings are in use: %d workers on %d cores", o.Workers, len(cores))
	}
	return p, nil
}

func (p *Binding) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// noteCrowd says so when the workers, which want width CPUs each, share some.
func (p *Binding) noteCrowd(width int) {
	var used CPUSet
	for _, set := range p.CPUs {
		used = used.Or(set)
	}
	n := used.Count()
	if n >= len(p.CPUs)*width {
		return
	}
	each := ""
	if width > 1 {
		each = fmt.Sprintf(" of %d CPUs each", width)
	}
	p.note("oversubscribed: %d workers%s on %s", len(p.CPUs), each, counted(n, "CPU"))
}

// deal lists n CPUs in the order in which they are to be used: one of each core,
// then the second of each core that has one, and so on, and when all are used,
// from the beginning. Where not all cores get one in a round, pick chooses them.
// There must be a core, or there would be no end.
func deal(cores []core, n int, pick func([]core, int) []core) []CPU {
	var order []CPU
	for len(order) < n {
		for thread := 0; len(order) < n; thread++ {
			var free []core
			for _, c := range cores {
				if thread < len(c) {
					free = append(free, c)
				}
			}
			if len(free) == 0 {
				break
			}
			for _, c := range pick(free, min(n-len(order), len(free))) {
				order = append(order, c[thread])
			}
		}
	}
	return order
}

// closest picks the first n cores.
func closest(cores []core, n int) []core { return cores[:n] }

// spread picks n of the cores, in order, as far apart as they can be.
func spread(cores []core, n int) []core {
	return spreadOver(cores, n,
		func(c core) int { return c[0].Socket },
		func(c core) int { return c[0].Node })
}

// spreadOver shares n out over the groups that have the same first key, then in
// each by the other keys, and at last evenly over single cores.
func spreadOver(cores []core, n int, keys ...func(core) int) []core {
	var picked []core
	if len(keys) == 0 {
		for i := range n {
			picked = append(picked, cores[i*len(cores)/n])
		}
		return picked
	}
	groups := runs[[]core](cores, keys[0])
	for i, share := range shares(groups, n) {
		picked = append(picked, spreadOver(groups[i], share, keys[1:]...)...)
	}
	return picked
}

// shares says how many of n each group takes: round by round one each of those
// with room, and in the last round the ones that lie farthest apart.
func shares(groups [][]core, n int) []int {
	share := make([]int, len(groups))
	for n > 0 {
		var open []int
		for i, g := range groups {
			if share[i] < len(g) {
				open = append(open, i)
			}
		}
		k := min(n, len(open))
		for i := range k {
			share[open[i*len(open)/k]]++
		}
		n -= k
	}
	return share
}
