package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"procpool/compare"
	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
)

// measuringFlags make no sense with --from, where nothing is run.
func measuringFlags() []flag {
	return []flag{
		text(groupWhat, "backends", "b", "serial,goroutines,processes", "`LIST` of what is compared; also threads: goroutines locked to OS threads"),
		text(groupWhat, "workers", "n", "auto", "`LIST` of worker counts, such as 1,2,4 or 1..8; auto: powers of two up to the CPUs that may be used"),
		text(groupWhat, "size", "", "auto", "indices of each task, `N`; auto: what the serial backend does in the --target time"),
		text(groupWhat, "chunks", "", "", "chunks of each task, about `N`: 64, or 8 for each worker if that is more"),
		toggle(groupWhat, "why", "", "also run each task warm, bound, without garbage collection, with equal heaps and on threads, to take the difference apart"),
		text(groupWhere, "bind", "", "none", "CPUs of each worker process and thread, `HOW`: none, close, spread, or lists as of taskset with / between workers (0-1/2-3)").oneOf("none", "close", "spread"),
		text(groupWhere, "gomaxprocs", "", "1", "GOMAXPROCS of each worker process, `K`"),
		text(groupWhere, "heap", "", "", "heap budget, `HOW`: default, which is Go's own for each process, or equal: goroutines get that of as many processes together").oneOf("default", "equal"),
		text(groupMethod, "target", "", "200ms", "serial time that sizes are made for, `D`; a small --max-time shrinks it"),
		text(groupMethod, "min-runs", "", "", "rounds at least, `N`; the number of comparisons may demand more"),
		text(groupMethod, "max-runs", "", "100", "rounds at most, `N`"),
		text(groupMethod, "max-time", "", "2m", "budget of the whole experiment, `D`"),
		text(groupMethod, "precision", "", "2%", "a task is done when every ratio is known to ±`P`"),
		text(groupMethod, "equivalence", "", "2%", "difference that counts as none, `P`"),
		text(groupMethod, "confidence", "", "95%", "that all verdicts together are right, `P`"),
		text(groupMethod, "seed", "", "", "of the order of runs, `N`; without it a new one each time, and the report names it"),
		toggle(groupMethod, "dry-run", "", "calibrate, print the plan and how long it will take, and stop"),
		progressFlag(),
	}
}

func compareFlags() []flag {
	flags := measuringFlags()
	for _, f := range formats {
		flags = append(flags, file(groupOutput, "export-"+f.name, "write the report as "+f.means+" to `FILE`; - is stdout, in place of the table"))
	}
	return append(flags,
		toggle(groupOutput, "json", "", "the same as --export-json -"),
		file(groupOutput, "from", "run nothing: render the record in `FILE`, which --export-json wrote"),
		text(groupBatch, "expect", "", "", "exit with 4 unless `CLAIMS` hold, such as 'alloc@2: processes/goroutines <= 1.1'; several with ; between them"),
	)
}

// readCompare reads what is to be compared, and how.
func (m *comparing) readCompare(c *call) error {
	o := &m.options
	if err := m.readTasks(c); err != nil {
		return err
	}
	limits, err := placement.System{}.Limits()
	if err != nil {
		return badInput(err)
	}
	o.CPUs, o.Why, o.PlanOnly = limits.Procs, c.Bool("why"), c.Bool("dry-run")
	for name := range strings.SplitSeq(c.String("backends"), ",") {
		o.Backends = append(o.Backends, pool.Backend(strings.TrimSpace(name)))
	}
	if o.Workers, err = readWorkers(c.String("workers")); err != nil {
		return err
	}
	if err := m.readMethod(c); err != nil {
		return err
	}
	if err := m.readFairness(c); err != nil {
		return err
	}
	for _, x := range m.expected { // before minutes are spent on what cannot answer
		if err := o.CanAnswer(x); err != nil {
			return usageHint(fmt.Sprintf("--expect: %q: %v", x.Text, err), "what it names must be among the tasks, --backends and --workers of the experiment")
		}
	}
	return nil
}

func (m *comparing) readTasks(c *call) error {
	size := int64(0)
	var err error
	if text := c.String("size"); text != "auto" {
		if size, err = parseCount("--size", text, 1, ipc.MaxIndex, ""); err != nil {
			return err
		}
	}
	names := c.args
	if len(names) == 0 {
		names = compare.StandardTasks()
	}
	for _, name := range names {
		spec, err := findTask(name)
		if err != nil {
			return err
		}
		t := compare.SubjectOf(spec)
		t.Size = size
		m.options.Tasks = append(m.options.Tasks, t)
	}
	return nil
}

// readWorkers reads a list of worker counts; nil is auto.
func readWorkers(text string) (counts []int, err error) {
	if text == "auto" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "..")
		first, err := parseCount("--workers", from, 1, pool.MaxProcs, "")
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = parseCount("--workers", to, 1, pool.MaxProcs, ""); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, usage("--workers: %s runs backwards", part)
		}
		for n := first; n <= last; n++ {
			counts = append(counts, int(n))
		}
	}
	return counts, nil
}

// readMethod reads what decides precision and time.
func (m *comparing) readMethod(c *call) error {
	o := &m.options
	for _, f := range []struct {
		flag string
		to   *time.Duration
	}{{"target", &o.Target}, {"max-time", &o.MaxTime}} {
		var err error
		if *f.to, err = parseDuration("--"+f.flag, c.String(f.flag)); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		flag string
		to   *float64
	}{{"precision", &o.Precision}, {"equivalence", &o.Margin}, {"confidence", &o.Confidence}} {
		var err error
		if *f.to, err = parseShare("--"+f.flag, c.String(f.flag)); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		flag string
		to   *int
	}{{"min-runs", &o.MinRounds}, {"max-runs", &o.MaxRounds}, {"chunks", &o.Chunks}} {
		if text := c.String(f.flag); c.IsSet(f.flag) {
			n, err := parseCount("--"+f.flag, text, 1, 1<<20, "")
			if err != nil {
				return err
			}
			*f.to = int(n)
		}
	}
	if c.IsSet("seed") {
		seed, err := parseCount("--seed", c.String("seed"), 1, 1<<62, "")
		o.Seed = uint64(seed)
		return err
	}
	return nil
}

// readFairness reads the conditions under which workers run.
func (m *comparing) readFairness(c *call) error {
	n, err := parseCount("--gomaxprocs", c.String("gomaxprocs"), 1, 1<<16, "")
	if err != nil {
		return err
	}
	m.pools.GOMAXPROCS = int(n)
	switch how := c.String("heap"); how {
	case "", "default":
	case "equal":
		m.pools.EqualHeap = true
	default:
		return usage("--heap is %q: it must be default or equal", how)
	}
	if m.pools.Bind = c.String("bind"); m.pools.Bind == "none" {
		return nil
	}
	if err := boundSomehow(m.pools.Bind); err != nil {
		return err
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

// readExpectations reads --expect.
func readExpectations(c *call) (out []compare.Expectation, err error) {
	if !c.IsSet("expect") {
		return nil, nil
	}
	for text := range strings.SplitSeq(c.String("expect"), ";") {
		x, err := compare.ParseExpectation(strings.TrimSpace(text))
		if err != nil {
			return nil, badInput(fmt.Errorf("--expect: %w", err))
		}
		out = append(out, x)
	}
	return out, nil
}

// onlyRenders refuses flags that --from leaves nothing to do for.
func onlyRenders(c *call) error {
	if len(c.args) > 0 {
		return usage("--from renders what was compared: it takes no tasks, but there is %q", c.args[0])
	}
	for _, f := range measuringFlags() {
		if name := f.name; c.IsSet(name) {
			return usageHint("--"+name+" cannot be used with --from, which runs nothing", "leave out one of the two")
		}
	}
	return nil
}

// parseShare reads a share of one, as 0.02 or 2%.
func parseShare(what, text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, usage("%s is %q: it must be between 0 and 1, such as 0.02 or 2%%", what, text)
	}
	return v, nil
}
