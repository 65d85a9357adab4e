package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"procpool/internal/text"
	"procpool/internal/units"
)

// A Table has the details of a record, for any kind of report.
type Table struct {
	Kind    string // "rows", "why", "times", "cost", "sizes" or "environment"
	Caption string
	Head    []string
	Rows    [][]string
	Align   string // a letter a column: l left, r right
}

func (tb Table) left(column int) bool { return tb.Align[column] == 'l' }

// Tables lists the details of a record, those without rows left out.
func Tables(rec Record) []Table {
	all := append([]Table{rowsTable(rec)}, whyTables(rec)...)
	all = append(all, timesTable(rec), costTable(rec), sizesTable(rec), environmentTable(rec))
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
		interval := cmp.Or(r.Ratio.Span(), "too few pairs")
		tb.Rows = append(tb.Rows, []string{r.Task, rec.Plan.Cells[row.A].Label() + " / " + rec.Plan.Cells[row.B].Label(), string(r.Verdict),
			units.Ratio(r.Ratio.Centre), interval, strconv.Itoa(r.Pairs), units.Percent(float64(r.Spread)), blank(r.FromSeconds, units.Seconds)})
	}
	return tb
}

// whyTables returns a table for each gap that was split into parts.
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

func costTable(rec Record) Table {
	tb := Table{Kind: "cost", Caption: "What it cost: medians of the runs, of parent and workers together",
		Head: []string{"cell", "CPU, user", "system", "peak memory", "GC cycles", "GC pauses"}}
	heading := strings.NewReplacer("involuntary_", "invol. ", "voluntary_", "vol. ", "_", " ")
	counters := new(Resources).CountersOf.All()
	for _, n := range counters[1:] { // the first one is the peak memory
		tb.Head = append(tb.Head, heading.Replace(n.Name))
	}
	tb.Align = "l" + strings.Repeat("r", len(tb.Head)-1)
	for _, c := range rec.Results.Cells {
		row := []string{rec.Plan.Cells[c.Cell].String(), maybe(c.UserSeconds, units.Seconds), maybe(c.SystemSeconds, units.Seconds), maybe(c.PeakRSSBytes, text.Bytes), maybe(c.GCCycles, units.Count), maybe(c.GCPauseSeconds, units.Seconds)}
		medians := c.CountersOf.All()
		for _, n := range medians[1:] {
			row = append(row, maybe(*n.Count, units.Count))
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb.withoutEmptyColumns()
}

// withoutEmptyColumns drops the columns that have no value in any row.
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

func timesTable(rec Record) Table {
	phases := PhasesOf(rec)
	tb := Table{Kind: "times", Caption: "Times: medians of the runs, then where the mean went", Align: "lrrrrr" + strings.Repeat("r", len(phases)),
		Head: []string{"cell", "runs", "wall", "starting", "the rest", "speed-up of the rest"}}
	for _, p := range phases {
		tb.Head = append(tb.Head, string(p))
	}
	for _, c := range rec.Results.Cells {
		row := []string{rec.Plan.Cells[c.Cell].String(), strconv.Itoa(c.Runs), units.Seconds(c.Seconds), units.Seconds(c.Starting),
			units.Seconds(c.Computing), blank(c.Speedup, func(x float64) string { return units.Ratio(x) + "×" })}
		for _, p := range phases {
			s := ""
			if t := c.in(p); t > 0 {
				s = units.Seconds(t)
			}
			row = append(row, s)
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb
}

// PhasesOf lists the phases that any cell spent time in.
func PhasesOf(rec Record) []Phase {
	return slices.DeleteFunc(Phases(), func(p Phase) bool {
		return !slices.ContainsFunc(rec.Results.Cells, func(c CellResult) bool { return c.in(p) > 0 })
	})
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

// environmentTable has the facts, and the terms under which each backend ran.
func environmentTable(rec Record) Table {
	tb := Table{Kind: "environment", Caption: "Environment", Align: "ll", Head: []string{"fact", "value"}}
	tb.Rows = append(tb.Rows, []string{"seed", strconv.FormatUint(rec.Plan.Seed, 10)}, []string{"date", rec.Created.Format("2006-01-02 15:04 UTC")})
	for _, f := range rec.Environment {
		tb.Rows = append(tb.Rows, []string{f.Name, f.Value})
	}
	seen := map[string]bool{}
	for _, r := range rec.Runs {
		name, t := rec.Plan.Cells[r.Cell].Label(), r.Terms
		if t == (Terms{}) || seen[name] {
			continue
		}
		seen[name] = true
		said := fmt.Sprintf("GOMAXPROCS %d, %s, CPUs %s, binding %s, %s pool", t.ParentGOMAXPROCS, t.HeapBudget, t.Mask, t.Binding, t.Pool)
		if t.WorkerGOMAXPROCS > 0 {
			said += fmt.Sprintf("; GOMAXPROCS %d in each worker", t.WorkerGOMAXPROCS)
		}
		tb.Rows = append(tb.Rows, []string{name, said})
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
