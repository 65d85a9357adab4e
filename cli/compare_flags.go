package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"procpool/compare"
	"procpool/internal/command"
	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

func (m *compareCommand) flags() []cli.Flag {
	o := &m.options
	tasks := list(&m.tasks, "", findCompared)
	tasks.offers = comparedTasks
	return append([]cli.Flag{
		&cli.GenericFlag{Category: categoryWhat, Name: "task", Aliases: []string{"t"}, Value: tasks, Usage: "`LIST` of tasks, as TASK... is, such as pi,alloc"},
		&cli.GenericFlag{Category: categoryWhat, Name: "exec", Value: newValue(&m.pools.Command, "", parent.SplitWords), Usage: "compare `'CMD ARGS'`, a program of yours as for the command exec, over INTERVALS: run serially and in processes"},
		&cli.GenericFlag{Category: categoryWhat, Name: "reduce", Value: choice(&m.pools.Reduce, command.Sum, reducesCompared...), Usage: "`HOW` what --exec prints becomes the result: the last lines are numbers for sum, min and max; concat takes any output"},
		&cli.GenericFlag{Category: categoryWhat, Name: "backends", Aliases: []string{"b", "backend"}, Value: list(&o.Backends, "goroutines,processes", readCompared), Usage: "`LIST` of what is compared; also threads: goroutines locked to OS threads; one of them alone is compared with serial"},
		&cli.GenericFlag{Category: categoryWhat, Name: "size", Value: newValue(&m.size, "auto", readTaskSize).offering("auto"), Usage: "indices of each task, `N`; auto: what the serial backend computes in the --target time"},
		&cli.GenericFlag{Category: categoryWhat, Name: "chunks", Value: number(&o.Chunks, "", 1, 1<<20), Usage: "chunks of each task, about `N`: 64, or 8 for each worker if that is more"},
		&cli.BoolFlag{Category: categoryWhat, Name: "why", Destination: &o.Why, Usage: "take the differences apart: also run each task on threads"},
		&cli.BoolFlag{Category: categoryWhat, Name: "warm", Destination: &o.Warm, Usage: "compare pools that have done the same work once, as a program that keeps its pool has them"},
		&cli.BoolFlag{Category: categoryWhat, Name: "self-check", Destination: &o.SelfCheck, Usage: "compare goroutines with themselves instead: what wins then wins by chance"},

		procsFlag(newValue(&o.Workers, "auto", readProcsList).offering("auto"), "`LIST` of worker counts, such as 1,2,4 or 1..8; auto: as many as CPUs may be used"),
		bindFlag(&m.pools.Bind, "bind each worker process and thread to CPUs as `HOW` says: none, close, spread, or lists as of taskset with / between workers (0-1/2-3)"),
		gomaxprocsFlag(&m.pools.GOMAXPROCS),
		&cli.GenericFlag{Category: categoryWhere, Name: "heap", Value: newValue(&m.pools.EqualHeap, "", readHeap).offering("default", "equal"), Usage: "heap budget, `HOW`: default, which is Go's own for each process, or equal: goroutines get that of as many processes together"},

		&cli.GenericFlag{Category: categoryMethod, Name: "target", Value: duration(&o.Target, ""), Usage: "choose sizes that take `D` serially: 50ms, or 25ms for each worker if that is more"},
		&cli.GenericFlag{Category: categoryMethod, Name: "max-pairs", Value: number(&o.MaxPairs, "500", 1, 500), Usage: "run at most `N` pairs of each comparison"},
		&cli.GenericFlag{Category: categoryMethod, Name: "max-time", Value: duration(&o.MaxTime, "60s"), Usage: "budget of the whole experiment, `D`"},
		&cli.GenericFlag{Category: categoryMethod, Name: "equivalence", Value: fraction(&o.Margin, "5%"), Usage: "take a difference of less than `P` for none"},
		&cli.GenericFlag{Category: categoryMethod, Name: "confidence", Value: fraction(&o.Confidence, "95%"), Usage: "joint confidence level of all verdicts, `P`"},
		&cli.GenericFlag{Category: categoryMethod, Name: "seed", Value: number(&o.Seed, "", 1, ipc.MaxIndex), Usage: "draw the order of runs from seed `N`; without it a new one each time, and the report names it"},
		&cli.BoolFlag{Category: categoryMethod, Name: "dry-run", Destination: &o.PlanOnly, Usage: "choose the sizes, print the plan, and stop"},

		&cli.GenericFlag{Category: categoryBatch, Name: "expect", Value: newValue(&m.expected, "", readExpectations), Usage: "exit with 4 unless `CLAIMS` hold, such as 'alloc@2: processes/goroutines <= 1.1'; several with ; between them"},

		&cli.PathFlag{Category: categoryOutput, Name: "from", Destination: &m.from, Usage: "run nothing: answer from the record in `FILE`, which --export-json wrote or the cache folder has; - is stdin"},
		&cli.PathFlag{Category: categoryOutput, Name: "baseline", Destination: &m.baseline, Usage: "say which ratios are others than in the record in `FILE`"},
		&cli.BoolFlag{Category: categoryOutput, Name: "verbose", Aliases: []string{"v"}, Destination: &m.verbose, Usage: "also print all tables: verdicts, times, where they went, cost, terms, environment"},
		jsonFlag(&m.json, "the same as --export-json -"),
		progressFlag(&m.showProgress),
		quietFlag(m.program),
	}, exportFlags()...)
}

// readOptions completes the options with what depends on this machine and program.
func (m *compareCommand) readOptions(c *cli.Context) error {
	o := &m.options
	if err := m.readSubjects(c); err != nil {
		return err
	}
	limits, err := placement.System{}.Limits()
	if err != nil {
		return badInput(err)
	}
	o.CPUs = limits.Procs
	if err := m.checkBinding(); err != nil {
		return err
	}
	for _, x := range m.expected { // before the experiment takes minutes
		if err := o.CanAnswer(x); err != nil {
			return usageHint(fmt.Sprintf("--expect: %q: %v", x.Text, err), "what it names must be among the tasks, --backends and --procs of the experiment")
		}
	}
	return nil
}

// readSubjects sets the tasks of the experiment.
func (m *compareCommand) readSubjects(c *cli.Context) error {
	o := &m.options
	if c.IsSet("exec") {
		return m.readProgram(c)
	}
	if c.IsSet("reduce") {
		return usage("--reduce is for a program, which --exec names")
	}
	tasks, err := m.chosenTasks(c.Args().Slice())
	for _, spec := range tasks {
		t := compare.SubjectOf(spec)
		t.Size = m.size
		o.Tasks = append(o.Tasks, t)
	}
	return err
}

// readProgram is readSubjects for --exec.
func (m *compareCommand) readProgram(c *cli.Context) error {
	for _, flag := range []string{"task", "backends", "size", "target", "heap", "gomaxprocs", "why", "self-check"} {
		if c.IsSet(flag) {
			return usage("--%s means nothing for a program that --exec runs: it has one size, and no goroutines", flag)
		}
	}
	example := fmt.Sprintf("%s compare --exec './count.sh' 1e6", m.Name)
	args := c.Args().Slice()
	if len(args) != 1 {
		return usageHint(fmt.Sprintf("--exec takes one argument, INTERVALS, but there are %d", len(args)), example)
	}
	end, err := parseIndex(args[0])
	if err == nil && end == 0 {
		err = errors.New("there is nothing to run")
	}
	if err != nil {
		return usageHint(fmt.Sprintf("INTERVALS is %q: %v", args[0], err), example)
	}
	m.options.Tasks = []compare.Subject{{Name: compare.Exec, Size: end}}
	m.options.Backends = []pool.Backend{pool.Processes}
	return canRun(m.pools.Command[0])
}

// reducesCompared are the reductions that leave a result to compare.
var reducesCompared = []string{command.Sum, command.Min, command.Max, command.Concat}

// chosenTasks are those of --task and the operands, or else the standard ones, or
// all of a program that does not define these.
func (m *compareCommand) chosenTasks(operands []string) ([]*task.Spec, error) {
	tasks, names := m.tasks, operands
	if len(tasks)+len(names) == 0 {
		names = compare.StandardTasks()
		defined := comparedTasks()
		if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(defined, name) }) {
			names = defined
		}
	}
	for _, name := range names {
		spec, err := findCompared(name)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, spec)
	}
	return tasks, nil
}

// comparedTasks are those that a comparison can run: over intervals, or with inputs.
func comparedTasks() []string {
	inputs := slices.DeleteFunc(task.Names(), func(name string) bool { return !compare.Comparable(name) })
	return append(ownTasks(), inputs...)
}

func findCompared(name string) (*task.Spec, error) {
	if compare.Comparable(name) {
		spec, _ := task.Lookup(name)
		return spec, nil
	}
	return findTask(name)
}

// checkBinding returns an error if no worker can be bound as --bind says.
func (m *compareCommand) checkBinding() error {
	if m.pools.Bind == "none" {
		return nil
	}
	mask, err := placement.System{}.Mask()
	if err == nil {
		_, err = placement.NewBinding(placement.BindingOptions{Bind: m.pools.Bind, Workers: 1, Mask: mask})
	}
	if err != nil {
		return badInput(fmt.Errorf("--bind: %w", err))
	}
	return nil
}

// onlyRenders returns an error if there is an argument or a flag that --from does not use.
func (m *compareCommand) onlyRenders(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage("--from renders what was compared: it takes no tasks, but there is %q", c.Args().First())
	}
	rendering := []string{"from", "json", "quiet", "expect", "baseline", "verbose", "equivalence", "confidence"}
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		if c.IsSet(name) && !slices.Contains(rendering, name) && !strings.HasPrefix(name, "export-") {
			return usageHint("--"+name+" cannot be used with --from, which runs nothing", "leave out one of the two")
		}
	}
	return nil
}

// readCompared takes any name: package compare refuses unknown ones.
func readCompared(text string) (pool.Backend, error) { return pool.Backend(text), nil }

func readTaskSize(text string) (int64, error) {
	if text == "auto" {
		return 0, nil
	}
	return parseCount(text, 1, ipc.MaxIndex)
}

// readProcsList reads a list of worker counts and ranges of them; nil is auto.
func readProcsList(text string) (counts []int, err error) {
	if text == "auto" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "..")
		first, err := parseCount(from, 1, pool.MaxProcs)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = parseCount(to, 1, pool.MaxProcs); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, fmt.Errorf("%s runs backwards", part)
		}
		for n := first; n <= last; n++ {
			counts = append(counts, int(n))
		}
	}
	return counts, nil
}

func readHeap(text string) (equal bool, err error) {
	switch text {
	case "", "default", "equal":
		return text == "equal", nil
	}
	return false, errors.New("it must be default or equal")
}

func readExpectations(text string) (out []compare.Expectation, err error) {
	for claim := range strings.SplitSeq(text, ";") {
		x, err := compare.ParseExpectation(strings.TrimSpace(claim))
		if err != nil {
			return nil, badInput(fmt.Errorf("--expect: %w", err))
		}
		out = append(out, x)
	}
	return out, nil
}
