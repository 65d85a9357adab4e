package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/pool"
)

// A table is rendered by text, Markdown and HTML, each in its own way.
type table struct {
	Caption string
	Head    []string
	Rows    [][]string
	Align   string // a letter a column: l left, r right
}

func (tb table) left(column int) bool { return tb.Align[column] == 'l' }

// times is the table of all cells of a task: absolute times beside every ratio.
// Columns are in the order in which a narrow terminal drops them from the end.
func (v view) times(t compare.TaskResult) table {
	tb := table{Caption: "Times and scaling of " + t.Task, Align: "lrrrrrrrr",
		Head: []string{"cell", "median", "interval", "vs serial", "vs self", "efficiency", "Karp-Flatt", "p90", "max"}}
	for _, c := range t.Cells {
		tb.Rows = append(tb.Rows, []string{v.label(c.Cell), seconds(c.Seconds.Median), spanOf(c.Seconds),
			blank(c.VsSerial, times), blank(c.VsSelf, times), blank(c.Efficiency, percent), blank(c.KarpFlatt, func(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }),
			seconds(c.P90), seconds(c.Max)})
	}
	return tb
}

// costs is the table of the resources that the cells of a task used.
func (v view) costs(t compare.TaskResult) table {
	tb := table{Caption: "What it cost: " + t.Task,
		Head: []string{"cell", "CPU time", "of parent", "of workers", "peak memory", "GC cycles", "GC pauses"}}
	heading := strings.NewReplacer("involuntary_", "invol. ", "voluntary_", "vol. ", "_", " ")
	counters := new(compare.Resources).CountersOf.All()
	for _, n := range counters[1:] { // the first one is the peak memory
		tb.Head = append(tb.Head, heading.Replace(n.Name))
	}
	tb.Align = "l" + strings.Repeat("r", len(tb.Head)-1)
	for _, c := range t.Cells {
		workers := maybe(c.WorkersCPU, seconds)
		if !c.ParentCPU.IsZero() && c.WorkersCPU.IsZero() {
			workers = "in parent"
		}
		row := []string{v.label(c.Cell), maybe(c.CPUSeconds, seconds), maybe(c.ParentCPU, seconds), workers,
			maybe(c.PeakRSSBytes, text.Bytes), maybe(c.GCCycles, count), maybe(c.GCPauseSeconds, seconds)}
		medians := c.CountersOf.All()
		for _, n := range medians[1:] {
			row = append(row, maybe(*n.Count, count))
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb.withoutEmptyColumns("n/a")
}

// withoutEmptyColumns drops the columns that hold nothing but the given word, and
// all rows where no column is left. The environment says why they are missing.
func (tb table) withoutEmptyColumns(word string) table {
	for col := len(tb.Head) - 1; col > 0; col-- {
		if slices.ContainsFunc(tb.Rows, func(row []string) bool { return row[col] != word }) {
			continue
		}
		tb.Head = slices.Delete(tb.Head, col, col+1)
		tb.Align = tb.Align[:col] + tb.Align[col+1:]
		for i := range tb.Rows {
			tb.Rows[i] = slices.Delete(tb.Rows[i], col, col+1)
		}
	}
	if len(tb.Head) == 1 {
		tb.Rows = nil
	}
	return tb
}

// where is the table of where the time of each cell went.
func (v view) where(t compare.TaskResult) table {
	tb := table{Caption: "Where the time went: " + t.Task + " (means over runs and workers)", Head: []string{"cell", "mean wall"}}
	phases := v.phasesOf(t)
	for _, p := range phases {
		tb.Head = append(tb.Head, string(p))
	}
	tb.Head = append(tb.Head, "unaccounted")
	tb.Align = "l" + strings.Repeat("r", len(tb.Head)-1)
	for _, c := range t.Cells {
		byPhase := map[compare.Phase]float64{}
		for _, w := range c.Where {
			byPhase[w.Phase] = w.Seconds
		}
		row := []string{v.label(c.Cell), seconds(wallOf(c))}
		for _, p := range phases {
			s := ""
			if t, ok := byPhase[p]; ok {
				s = seconds(t)
			}
			row = append(row, s)
		}
		tb.Rows = append(tb.Rows, append(row, seconds(c.Unaccounted)))
	}
	return tb
}

// phasesOf lists the phases that any cell of a task spent time in.
func (v view) phasesOf(t compare.TaskResult) []compare.Phase {
	return slices.DeleteFunc(compare.Phases(), func(p compare.Phase) bool {
		return !slices.ContainsFunc(t.Cells, func(c compare.CellResult) bool {
			return slices.ContainsFunc(c.Where, func(w compare.PhaseTime) bool { return w.Phase == p })
		})
	})
}

// comparisons is the table of all verdicts.
func (v view) comparisons() table {
	tb := table{Caption: "Paired ratios of times", Align: "lllrrrrrr",
		Head: []string{"task", "comparison", "verdict", "ratio", "interval", "difference", "interval", "p", "rounds"}}
	for _, t := range v.compared() {
		for _, c := range t.Comparisons {
			tb.Rows = append(tb.Rows, []string{t.Task, v.label(c.A) + " / " + v.label(c.B), marked(c),
				ratio(c.Ratio.Median), ratioSpan(c.Ratio), signed(c.Difference.Median), spanOf(c.Difference),
				strconv.FormatFloat(c.P, 'g', 2, 64), strconv.Itoa(c.Ratio.N)})
		}
		if c, ok := t.Control.Get(); ok {
			tb.Rows = append(tb.Rows, []string{t.Task, v.label(c.A) + " / " + v.label(c.B), passes(c),
				ratio(c.Ratio.Median), ratioSpan(c.Ratio), "", "", "", strconv.Itoa(c.Ratio.N)})
		}
	}
	return tb
}

// breakEven is the table of the sizes from which a cell pays.
func (v view) breakEven(t compare.TaskResult) table {
	tb := table{Caption: "From which size it pays: " + t.Task, Align: "llrl", Head: []string{"cell", "beats", "from indices", "from serial work"}}
	for _, b := range t.BreakEven {
		indices, work := maybe(b.Indices, digits), maybe(b.SerialSeconds, seconds)
		if b.Never != "" {
			indices, work = "", b.Never
		}
		tb.Rows = append(tb.Rows, []string{v.label(b.Cell), v.label(b.Against), indices, work})
	}
	return tb
}

// why is the table of one gap taken apart.
func (v view) why(t compare.TaskResult, w compare.Why) table {
	n := strconv.Itoa(w.Workers)
	tb := table{Caption: "Why, for " + t.Task + ": processes×" + n + " − goroutines×" + n, Align: "lrrl",
		Head: []string{"part", "seconds", "interval", "what it is"}}
	row := func(name string, e compare.Estimate, meaning string) {
		tb.Rows = append(tb.Rows, []string{name, signed(e.Median), spanOf(e), meaning})
	}
	row("gap", w.Gap, "what is to be explained; negative favours processes")
	for _, p := range w.Parts {
		name := p.Name
		if p.Within != "" {
			name = "  " + p.Name + " (within " + p.Within + ")"
		}
		row(name, p.Seconds, p.Meaning)
	}
	row("unexplained", w.Unexplained, "the gap minus the parts that are within no other")
	return tb
}

// fairness is the table of the terms under which the cells ran.
func (v view) fairness() table {
	tb := table{Caption: "Fairness contract, as the runs observed it", Align: "lrrllll",
		Head: []string{"cells", "GOMAXPROCS of parent", "of each worker", "heap budget", "CPUs allowed", "binding", "pool"}}
	number := func(n int) string {
		if n == 0 {
			return "n/a"
		}
		return strconv.Itoa(n)
	}
	said := func(s string) string { return cmp.Or(s, "n/a") }
	for _, c := range v.Fairness {
		name := compare.Cell{Backend: c.Backend, Workers: c.Workers, Ablation: c.Ablation}.Label()
		worker := number(c.WorkerGOMAXPROCS)
		if c.Backend != pool.Processes {
			worker = "in parent"
		}
		tb.Rows = append(tb.Rows, []string{name, number(c.ParentGOMAXPROCS), worker, said(c.HeapBudget), said(c.Mask), said(c.Binding), said(c.Pool)})
	}
	return tb
}

// environment is the table of facts, and of why measurements are missing.
func (v view) environment() table {
	tb := table{Caption: "Environment", Align: "ll", Head: []string{"fact", "value"}}
	for _, f := range v.Environment {
		tb.Rows = append(tb.Rows, []string{f.Name, f.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(v.Missing)) {
		tb.Rows = append(tb.Rows, []string{name, "n/a (" + v.Missing[name] + ")"})
	}
	return tb
}

// plan is the table of sizes.
func (v view) plan() table {
	tb := table{Caption: "Sizes, frozen after calibration", Align: "lrrrrrl",
		Head: []string{"task", "indices", "chunks", "indices a chunk", "serial, calibrated", "rounds", "stopped by"}}
	for i, t := range v.Plan.Tasks {
		rounds, stopped := "0", ""
		if i < len(v.Results.Tasks) {
			rounds, stopped = strconv.Itoa(v.Results.Tasks[i].Rounds), string(v.Results.Tasks[i].Stopped)
		}
		calibrated := seconds(t.SerialSeconds)
		if t.Name == compare.Null {
			calibrated = ""
		}
		tb.Rows = append(tb.Rows, []string{t.Name, strconv.FormatInt(t.Size, 10), strconv.FormatInt(t.Chunks, 10),
			strconv.FormatInt(t.ChunkSize, 10), calibrated, rounds, stopped})
	}
	return tb
}
