package cli

import (
	"fmt"

	"procpool/placement"
)

// bindings holds the CPUs of each worker.
type bindings struct {
	plan     placement.Binding
	mask     placement.CPUSet
	topology placement.Topology
}

// readBindings plans --bind. It returns nil if neither --bind nor --report-bindings is set.
func (r *runCommand) readBindings() (*bindings, error) {
	if r.bind == "none" && !r.reportBindings {
		return nil, nil
	}
	if r.bind == "none" && r.options.Launcher != "" {
		return nil, usageHint("--report-bindings cannot show what a launcher binds", "-v prints the CPUs that each worker reports")
	}
	system := placement.System{}
	mask, err := system.Mask()
	if err != nil {
		return nil, badInput(fmt.Errorf("--bind: %w", err))
	}
	b := &bindings{mask: mask, topology: system.Topology()}
	b.plan, err = placement.NewBinding(placement.BindingOptions{
		Bind: r.bind, Workers: r.options.Procs, Width: max(r.options.GOMAXPROCS, 1), Mask: mask, Topology: b.topology,
	})
	if err != nil {
		return nil, badInput(fmt.Errorf("--bind: %w", err))
	}
	return b, nil
}

func (b *bindings) cpus() []placement.CPUSet {
	if b == nil {
		return nil
	}
	return b.plan.CPUs
}

// report prints notes, and if all is set a line for each worker.
func (b *bindings) report(p *program, all bool) {
	if b == nil {
		return
	}
	for _, note := range b.plan.Notes {
		p.note("%s", note)
	}
	if all {
		for _, line := range placement.Report(b.plan.CPUs, b.mask, b.topology) {
			fmt.Fprintln(p.Stderr, line)
		}
	}
}
