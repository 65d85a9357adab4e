package cli

import (
	"fmt"
	"io"

	"procpool/placement"
	"procpool/pool"
)

// bindings are the CPUs of each worker and what there is to say of them.
type bindings struct {
	plan     placement.Binding
	mask     placement.CPUSet
	topology placement.Topology
	show     bool
}

// readBindings reads --bind and plans accordingly. Nil means that nothing was asked.
func readBindings(c *call, o pool.Options) (*bindings, error) {
	how := c.String("bind")
	if how == "none" && !c.Bool("report-bindings") {
		return nil, nil
	}
	if how == "none" && o.Launcher != "" {
		return nil, usageHint("--report-bindings does not know what a launcher binds", "-v shows the CPUs that each worker says it has")
	}
	if err := boundSomehow(how); err != nil {
		return nil, err
	}
	system := placement.System{}
	mask, err := system.Mask()
	if err != nil {
		return nil, badInput(fmt.Errorf("--bind: %w", err))
	}
	b := &bindings{mask: mask, topology: system.Topology(), show: c.Bool("report-bindings")}
	b.plan, err = placement.NewBinding(placement.BindingOptions{
		Bind: how, Workers: o.Procs, Width: max(o.GOMAXPROCS, 1), Mask: mask, Topology: b.topology,
	})
	if err != nil {
		return nil, badInput(fmt.Errorf("--bind: %w", err))
	}
	return b, nil
}

// boundSomehow refuses an empty --bind: who writes "$LIST" and has not set it
// must not go on unbound.
func boundSomehow(how string) error {
	if how == "" {
		return usageHint("--bind is empty", "it is none, close, spread or a list such as 0-3,8 or 0-1/2-3")
	}
	return nil
}

func (b *bindings) cpus() []placement.CPUSet {
	if b == nil {
		return nil
	}
	return b.plan.CPUs
}

// report prints notes, and with --report-bindings a line for each worker.
func (b *bindings) report(w io.Writer) {
	if b == nil {
		return
	}
	for _, note := range b.plan.Notes {
		fmt.Fprintln(w, "procpool:", note)
	}
	if b.show {
		for _, line := range placement.Report(b.plan.CPUs, b.mask, b.topology) {
			fmt.Fprintln(w, line)
		}
	}
}
