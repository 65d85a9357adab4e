package compare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"procpool/internal/text"
	"procpool/internal/units"
	"procpool/pool"
)

// A Table has the details of a record, for any kind of report.
type Table struct {
	Kind    string // "rows", "why", "times", "where", "cost", "terms", "sizes" or "environment"
	Caption string
	Head    []string
	Rows    [][]string
	Align   string // a letter a column: l left, r right
}

func (tb Table) left(column int) bool { return tb.Align[column] == 'l' }

// Tables lists the details of a record, those without rows left out.
func Tables(rec Record) []Table {
	all := append([]Table{rowsTable(rec)}, whyTables(rec)...)
	all = append(all, timesTable(rec), whereTable(rec), costTable(rec), termsTable(rec), sizesTable(rec), environmentTable(rec))
	return slices.DeleteFunc(all, func(tb Table) bool { return len(tb.Rows) == 0 })
}

func tablesOf(rec Record, kind string) []Table {
	return slices.DeleteFunc(Tables(rec), func(tb Table) bool { return tb.Kind != kind })
}

// rowsTable is the table of all verdicts.
func rowsTable(rec Record) Table {
	tb := Table{Kind: "rows", Caption: "Paired ratios of times without starting", Align: "lllrrrrr",
		Head: []string{"task", "comparison", "verdict", "ratio", "interval", "pairs", "one pair is off by", "wins from"}}
	for _, r := range rec.Results.Rows {
		row := rec.Plan.Rows[r.Row]
		interval := "too few pairs"
		if r.Ratio.Bounded() {
			interval = units.RatioSpan(r.Ratio.Low, r.Ratio.High)
		}
		tb.Rows = append(tb.Rows, []string{r.Task, rec.Plan.Cells[row.A].Label() + " / " + rec.Plan.Cells[row.B].Label(), string(r.Verdict),
			units.Ratio(r.Ratio.Centre), interval, strconv.Itoa(r.Pairs), units.Percent(float64(r.Spread)), blank(r.FromSeconds, units.Seconds)})
	}
	return tb
}

// whyTables take one gap apart each.
func whyTables(rec Record) (out []Table) {
	for _, w := range rec.Results.Why {
		n := strconv.Itoa(w.Workers)
		tb := Table{Kind: "why", Caption: "Why, for " + w.Task + ": processes×" + n + " − goroutines×" + n + ", starting included; negative favours processes", Align: "lrrl",
			Head: []string{"part", "seconds", "interval", "what it is"}}
		row := func(name string, e Estimate, meaning string) {
			interval := ""
			if e.Bounded() {
				interval = units.Span(e.Centre, e.Low, e.High)
			}
			tb.Rows = append(tb.Rows, []string{name, units.Signed(e.Centre), interval, meaning})
		}
		row("gap", w.Gap, "what is to be explained")
		for _, p := range w.Parts {
			row(p.Name, p.Seconds, p.Meaning)
		}
		out = append(out, tb)
	}
	return out
}

func (rec Record) cellName(i int) string { return rec.Plan.Cells[i].String() }

func timesTable(rec Record) Table {
	tb := Table{Kind: "times", Caption: "Times: medians of the runs, and speed-up over serial", Align: "lrrrrr",
		Head: []string{"cell", "runs", "wall", "starting", "the rest", "speed-up of the rest"}}
	for _, c := range rec.Results.Cells {
		tb.Rows = append(tb.Rows, []string{rec.cellName(c.Cell), strconv.Itoa(c.Runs), units.Seconds(c.Seconds), units.Seconds(c.Starting),
			units.Seconds(c.Computing), blank(c.Speedup, func(x float64) string { return units.Ratio(x) + "×" })})
	}
	return tb
}

func costTable(rec Record) Table {
	tb := Table{Kind: "cost", Caption: "What it cost: medians of the runs, of parent and workers together",
		Head: []string{"cell", "CPU, user", "system", "of parent", "of workers", "peak memory", "GC cycles", "GC pauses"}}
	heading := strings.NewReplacer("involuntary_", "invol. ", "voluntary_", "vol. ", "_", " ")
	counters := new(Resources).CountersOf.All()
	for _, n := range counters[1:] { // the first one is the peak memory
		tb.Head = append(tb.Head, heading.Replace(n.Name))
	}
	tb.Align = "l" + strings.Repeat("r", len(tb.Head)-1)
	for _, c := range rec.Results.Cells {
		workers := maybe(c.WorkersCPU, units.Seconds)
		if !c.ParentCPU.IsZero() && c.WorkersCPU.IsZero() {
			workers = "in parent"
		}
		row := []string{rec.cellName(c.Cell), maybe(c.UserSeconds, units.Seconds), maybe(c.SystemSeconds, units.Seconds), maybe(c.ParentCPU, units.Seconds), workers,
			maybe(c.PeakRSSBytes, text.Bytes), maybe(c.GCCycles, units.Count), maybe(c.GCPauseSeconds, units.Seconds)}
		medians := c.CountersOf.All()
		for _, n := range medians[1:] {
			row = append(row, maybe(*n.Count, units.Count))
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb.withoutEmptyColumns()
}

// withoutEmptyColumns drops the columns of which nothing is known.
func (tb Table) withoutEmptyColumns() Table {
	for col := len(tb.Head) - 1; col > 0; col-- {
		if slices.ContainsFunc(tb.Rows, func(row []string) bool { return row[col] != "n/a" }) {
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

func whereTable(rec Record) Table {
	tb := Table{Kind: "where", Caption: "Where the time went: means over runs and workers", Head: []string{"cell", "mean wall"}}
	phases := PhasesOf(rec)
	for _, p := range phases {
		tb.Head = append(tb.Head, string(p))
	}
	tb.Head = append(tb.Head, "unaccounted")
	tb.Align = "l" + strings.Repeat("r", len(tb.Head)-1)
	for _, c := range rec.Results.Cells {
		row := []string{rec.cellName(c.Cell), units.Seconds(c.Mean())}
		for _, p := range phases {
			s := ""
			if t := c.in(p); t > 0 {
				s = units.Seconds(t)
			}
			row = append(row, s)
		}
		tb.Rows = append(tb.Rows, append(row, units.Seconds(c.Unaccounted)))
	}
	return tb
}

// PhasesOf lists the phases that any cell spent time in.
func PhasesOf(rec Record) []Phase {
	return slices.DeleteFunc(Phases(), func(p Phase) bool {
		return !slices.ContainsFunc(rec.Results.Cells, func(c CellResult) bool { return c.in(p) > 0 })
	})
}

// termsTable has the terms under which the cells ran.
func termsTable(rec Record) Table {
	tb := Table{Kind: "terms", Caption: "The terms, as the runs observed them", Align: "lrrllll",
		Head: []string{"cells", "GOMAXPROCS of parent", "of each worker", "heap budget", "CPUs allowed", "binding", "pool"}}
	number := func(n int) string {
		if n == 0 {
			return "n/a"
		}
		return strconv.Itoa(n)
	}
	said := func(s string) string { return cmp.Or(s, "n/a") }
	for _, c := range Contracts(rec) {
		worker := number(c.WorkerGOMAXPROCS)
		if c.Backend != pool.Processes {
			worker = "in parent"
		}
		tb.Rows = append(tb.Rows, []string{Cell{Backend: c.Backend, Workers: c.Workers, Ablation: c.Ablation}.Label(),
			number(c.ParentGOMAXPROCS), worker, said(c.HeapBudget), said(c.Mask), said(c.Binding), said(c.Pool)})
	}
	return tb
}

// sizesTable has the sizes and the values.
func sizesTable(rec Record) Table {
	tb := Table{Kind: "sizes", Caption: "Sizes, frozen after calibration, and results", Align: "lrrrl",
		Head: []string{"task", "indices", "indices a chunk", "serial, without starting", "result"}}
	for i, t := range rec.Plan.Tasks {
		value := ""
		if i < len(rec.Results.Tasks) {
			value = rec.Results.Tasks[i].Value.Text
		}
		tb.Rows = append(tb.Rows, []string{t.Name, strconv.FormatInt(t.Size, 10), strconv.FormatInt(t.ChunkSize, 10), units.Seconds(t.SerialSeconds), value})
	}
	return tb
}

// environmentTable has the facts, and why measurements are missing.
func environmentTable(rec Record) Table {
	tb := Table{Kind: "environment", Caption: "Environment", Align: "ll", Head: []string{"fact", "value"}}
	tb.Rows = append(tb.Rows, []string{"seed", strconv.FormatUint(rec.Plan.Seed, 10)}, []string{"date", rec.Created.Format("2006-01-02 15:04 UTC")})
	for _, f := range rec.Environment {
		tb.Rows = append(tb.Rows, []string{f.Name, f.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(rec.Missing)) {
		tb.Rows = append(tb.Rows, []string{name, "n/a (" + rec.Missing[name] + ")"})
	}
	return tb
}

// maybe prints a measurement, or n/a if there is none.
func maybe[T any](m Maybe[T], print func(T) string) string {
	if v, ok := m.Get(); ok {
		return print(v)
	}
	return "n/a"
}

// blank prints a measurement, or nothing for one that a cell cannot have.
func blank[T any](m Maybe[T], print func(T) string) string {
	if m.IsZero() {
		return ""
	}
	return maybe(m, print)
}
