package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/pool"
)

// A view is a record with the methods that all formats use.
type view struct {
	compare.Record
}

// label names cell i without its task.
func (v view) label(i int) string { return v.Plan.Cells[i].Label() }

// A lane is the parent or a worker of a run, under its name.
type lane struct {
	name string
	compare.WorkerRun
}

// lanes lists the parent and the workers of a run.
func lanes(r compare.Run) []lane {
	out := []lane{{"parent", r.Parent}}
	for _, w := range r.Workers {
		out = append(out, lane{"worker " + strconv.Itoa(w.Index), w})
	}
	return out
}

// result is the summary of cell i of task t.
func result(t compare.TaskResult, i int) (r compare.CellResult) {
	for _, c := range t.Cells {
		if c.Cell == i {
			r = c
		}
	}
	return r
}

// compared lists the tasks with a verdict: all but null.
func (v view) compared() []compare.TaskResult {
	return slices.DeleteFunc(slices.Clone(v.Results.Tasks), func(t compare.TaskResult) bool { return t.Task == compare.Null })
}

// headline is the comparison that answers the question for a task: the first
// pair at the largest worker count that compares processes with goroutines, or
// else the last pair.
func (v view) headline(t compare.TaskResult) (compare.Comparison, bool) {
	var best compare.Comparison
	found, rank := false, -1
	for _, c := range t.Comparisons {
		a, b := v.Plan.Cells[c.A], v.Plan.Cells[c.B]
		r := 2 * a.Workers
		if a.Backend == pool.Processes && b.Backend == pool.Goroutines {
			r++
		}
		if r > rank {
			best, found, rank = c, true, r
		}
	}
	return best, found
}

// A finding is the answer of one comparison in words, in the direction that reads
// best: "1.44× faster", not "0.69".
type finding struct {
	Subject  string // processes×4
	Factor   string // 1.44×
	Object   string // goroutines×4
	Interval string // [1.39 .. 1.50]
	Delta    string // −105 ms
	Verdict  compare.Verdict
	Note     string // why it is weaker than its test
}

func (v view) finding(c compare.Comparison) finding {
	f := finding{Subject: v.label(c.A), Object: v.label(c.B), Verdict: c.Verdict, Note: c.Downgraded,
		Delta: signed(c.Difference.Median)}
	factor, span := float64(c.Ratio.Median), c.Ratio
	if c.Verdict == compare.Faster {
		factor = 1 / factor
		span.Low, span.High = 1/c.Ratio.High, 1/c.Ratio.Low
	}
	f.Factor, f.Interval = ratio(factor)+"×", ratioSpan(span)
	return f
}

// sentence is the finding as prose.
func (v view) sentence(f finding) string {
	s := fmt.Sprintf("%s take %s the time of %s", f.Subject, f.Factor, f.Object)
	switch f.Verdict {
	case compare.Faster, compare.Slower:
		s = fmt.Sprintf("%s are %s %s than %s", f.Subject, f.Factor, f.Verdict, f.Object)
	case compare.Equivalent:
		s = fmt.Sprintf("%s and %s are equivalent within ±%s: ratio %s", f.Subject, f.Object, percentLevel(v.Plan.Margin), f.Factor)
	case compare.Unresolved:
		s = "unresolved: " + s
	}
	s += " " + f.Interval + ", " + f.Delta
	if f.Note != "" {
		s += " (" + f.Note + ")"
	}
	return s
}

// control is the A/A line of a task.
func control(t compare.TaskResult) string {
	c, ok := t.Control.Get()
	if !ok {
		return "no A/A control"
	}
	return fmt.Sprintf("A/A control %s %s %s", ratio(c.Ratio.Median), ratioSpan(c.Ratio), passes(c))
}

func passes(c compare.Control) string {
	if c.Pass {
		return "passes"
	}
	return "does not pass"
}

// marked is a comparison's verdict, with an asterisk if its control weakened it.
func marked(c compare.Comparison) string {
	if c.Downgraded != "" {
		return string(c.Verdict) + " *"
	}
	return string(c.Verdict)
}

// hints name what the centre of a cell hides: tails and the slowest worker.
func (v view) hints(t compare.TaskResult) []string {
	var out []string
	for _, c := range t.Cells {
		if c.Skew != "" {
			out = append(out, fmt.Sprintf("%s: %s (median %s, p90 %s, max %s)", v.label(c.Cell), c.Skew,
				seconds(c.Seconds.Median), seconds(c.P90), seconds(c.Max)))
		}
		if s, ok := c.Slowest.Get(); ok && s.Busy > 1.1*s.Median {
			out = append(out, fmt.Sprintf("%s: worker %d is busy for %s, the median worker for %s", v.label(c.Cell), s.Worker, seconds(s.Busy), seconds(s.Median)))
		}
	}
	return out
}

// identical is the line about equal results.
func identical(t compare.TaskResult) string {
	if t.Identical {
		return "results identical to the bit: " + t.Value.Text
	}
	return "RESULTS DIFFER"
}

// title and subtitle open every report.
func (v view) title() string {
	names := make([]string, 0, len(v.Plan.Tasks))
	for _, t := range v.compared() {
		names = append(names, t.Task)
	}
	if len(names) == 0 {
		return "procpool compare: nothing measured"
	}
	return "procpool compare: " + strings.Join(names, ", ")
}

func (v view) subtitle() string {
	return fmt.Sprintf("%s, %s of %s, %s in %s, seed %d",
		v.Created.Format("2006-01-02 15:04 UTC"), text.Plural(int64(len(v.Order)), "round"), text.Plural(int64(len(v.Plan.Cells)), "cell"),
		v.Status, seconds(v.Seconds), v.Plan.Seed)
}

// method explains every interval and verdict.
func (v view) method() string {
	p := v.Plan
	level := percentLevel(v.Results.Level)
	if p.Comparisons > 1 {
		level += fmt.Sprintf(" so that all %d comparisons hold together at %s (Bonferroni)", p.Comparisons, percentLevel(p.Confidence))
	}
	return fmt.Sprintf("Medians of paired rounds with exact binomial intervals, each at %s; verdicts by sign tests with Holm's correction; equivalent means within ±%s.",
		level, percentLevel(p.Margin))
}

// percentLevel prints a confidence level; 99.58 % must not become 100 %.
func percentLevel(x float64) string { return fmt.Sprintf("%.4g %%", 100*x) }

// warnings lists the caveats that are shown with the verdicts, or else the others.
func (v view) warnings(headline bool) []string {
	var out []string
	for _, w := range v.Caveats {
		if w.Task != "" {
			w.Text = w.Task + ": " + w.Text
		}
		if w.Headline == headline {
			out = append(out, w.Text)
		}
	}
	return out
}
