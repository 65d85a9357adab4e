package placement

import (
	"errors"
	"fmt"
	"strings"

	"procpool/internal/text"
)

// BindingOptions are the parameters of [NewBinding].
type BindingOptions struct {
	// Bind is none (or empty), close, spread, or a list of CPUs. The words mean what
	// they mean in OMP_PROC_BIND with OMP_PLACES=cores:
	//
	//   - close puts workers on consecutive cores;
	//   - spread puts them far apart: evenly over sockets, within a socket over its
	//     NUMA nodes, and within a node over its cores.
	//
	// Both give each worker one CPU (or Width CPUs), and use the SMT siblings of a
	// core only when every core has a worker. Workers are numbered in the order of
	// cores.
	//
	// A list has the syntax of [ParseCPUSet]. Parts separated by / go to one worker
	// each, as in 0-1/2-3. A list without / goes to every worker.
	Bind string
	// Workers is the number of workers.
	Workers int
	// Width is the number of CPUs that close and spread give each worker. It should be
	// the worker's GOMAXPROCS. 0 means 1.
	Width int
	// Mask is the set of CPUs that may be used, from [System.Mask].
	Mask CPUSet
	// Topology is the machine, from [System.Topology]. The zero value is a machine in
	// which each CPU is a core.
	Topology Topology
}

// A Binding says which CPUs each worker may use. A worker that replaces another
// one gets the same CPUs.
type Binding struct {
	// CPUs has one set for each worker. The empty set means that the worker is not
	// bound.
	CPUs []CPUSet
	// Notes are remarks for the user. A note that workers share CPUs starts with
	// "oversubscribed".
	Notes []string
}

// NewBinding decides which CPUs of the mask each worker gets. It returns an error
// if Bind is invalid or names a CPU outside the mask, or if the mask is empty and
// Bind is close or spread.
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

// planList binds workers to the parts of a list.
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

// planCores binds workers to cores, Width CPUs each. pick chooses n of the cores.
func planCores(o BindingOptions, pick func([]core, int) []core) (Binding, error) {
	if o.Mask.Empty() {
		return Binding{}, errors.New("no CPU to bind to: the mask is empty")
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

// noteCrowd adds a note if workers that want width CPUs each have to share some.
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
	p.note("oversubscribed: %d workers%s on %s", len(p.CPUs), each, text.Plural(int64(n), "CPU"))
}

// deal lists n CPUs in the order in which workers get them: first one of each
// core, then the second one of each core that has two, and so on. After the last CPU
// it starts over. If a round needs fewer CPUs than it has cores, pick chooses the
// cores. cores must not be empty.
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

// closest returns the first n cores.
func closest(cores []core, n int) []core { return cores[:n] }

// spread returns n of the cores, in order, as far apart as possible.
func spread(cores []core, n int) []core {
	return spreadOver(cores, n,
		func(c core) int { return c[0].Socket },
		func(c core) int { return c[0].Node })
}

// spreadOver divides n among the groups of cores that have the same first key, and
// within each group by the remaining keys. Without keys it spreads n evenly over the
// cores.
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

// shares returns how many of n each group takes. In each round every group that has
// room takes one. If the last round has fewer than that left, the groups that take
// one are as far apart as possible.
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
