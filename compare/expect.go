package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"procpool/pool"
)

// An Expectation is a claim about the ratio of two times, such as
//
//	alloc@2: processes/goroutines <= 1.1
//
// which says that with 2 workers processes take at most 1.1 times as long as
// goroutines on the task alloc.
type Expectation struct {
	Text    string
	Task    string
	Workers int // of both; serial has one worker whatever it is
	A, B    pool.Backend
	Op      string // "<=", "<", ">=" or ">"
	Bound   float64
}

// An Answer says whether an expectation holds.
type Answer string

// The outcomes. NotResolved includes everything that prevents an answer: too
// wide an interval, a cell that did not run, a failed control.
const (
	Met         Answer = "met"
	NotMet      Answer = "not met"
	NotResolved Answer = "unresolved"
)

// A Check is an expectation with its outcome.
type Check struct {
	Expectation
	Answer Answer
	Ratio  Estimate // widened for the number of expectations checked together
	Reason string   // of an outcome other than Met
}

// ParseExpectation reads an expectation in the form TASK@WORKERS:
// BACKEND/BACKEND OP NUMBER; blanks do not matter.
func ParseExpectation(s string) (Expectation, error) {
	cell, claim, colon := strings.Cut(s, ":")
	task, count, at := strings.Cut(cell, "@")
	i := strings.IndexAny(claim, "<>")
	a, b, slash := strings.Cut(claim[:max(i, 0)], "/")
	task, count, a, b = strings.TrimSpace(task), strings.TrimSpace(count), strings.TrimSpace(a), strings.TrimSpace(b)
	if !colon || !at || !slash || task == "" || strings.ContainsAny(task, " \t\n") {
		return Expectation{}, fmt.Errorf("expectation %q: want TASK@WORKERS: BACKEND/BACKEND <= NUMBER, as in alloc@2: processes/goroutines <= 1.1", s)
	}
	op, number := claim[i:i+1], claim[i+1:]
	if strings.HasPrefix(number, "=") {
		op, number = op+"=", number[1:]
	}
	number = strings.TrimSpace(number)
	workers, err := strconv.Atoi(count)
	if err != nil || workers < 1 {
		return Expectation{}, fmt.Errorf("expectation %q: %q is not a number of workers", s, count)
	}
	bound, err := strconv.ParseFloat(strings.TrimSuffix(number, "x"), 64)
	if err != nil || !(bound > 0) || math.IsInf(bound, 0) {
		return Expectation{}, fmt.Errorf("expectation %q: %q is not a ratio: want a number above 0, such as 1.1", s, number)
	}
	x := Expectation{Text: s, Task: task, Workers: workers, A: pool.Backend(a), B: pool.Backend(b), Op: op, Bound: bound}
	for _, b := range []pool.Backend{x.A, x.B} {
		if !slices.Contains(backends(), b) {
			return Expectation{}, fmt.Errorf("expectation %q: unknown backend %q: want serial, goroutines, threads or processes", s, b)
		}
	}
	if x.A == x.B {
		return Expectation{}, fmt.Errorf("expectation %q compares %s with itself", s, x.A)
	}
	return x, nil
}

// CanAnswer returns an error if the experiment that o describes has no cells for
// what x claims, so that it could never be met. Cells that then cannot run here
// leave x unresolved.
func (o Experiment) CanAnswer(x Expectation) error {
	o.Environment = []Fact{} // not looked up for this
	_, cells := o.withDefaults().layout()
	_, _, err := (&Plan{Cells: cells}).pair(x)
	return err
}

// pair finds the two cells that x speaks of.
func (p *Plan) pair(x Expectation) (a, b int, err error) {
	a, b = p.find(x.Task, x.A, x.Workers, Plain, false), p.find(x.Task, x.B, x.Workers, Plain, false)
	if a < 0 || b < 0 {
		err = fmt.Errorf("the experiment has no %s with %s and %s on %d workers", x.Task, x.A, x.B, x.Workers)
	}
	return a, b, err
}

// CheckAll evaluates expectations against the raw runs of a record. An
// expectation is met or not met only when its whole interval says so, and where
// the A/A control of the task failed, the interval is first widened by what the
// control shows for identical code.
func CheckAll(rec Record, expectations []Expectation) []Check {
	level := levelFor(len(expectations), rec.Plan.Confidence)
	s := newSamples(rec.Runs, len(rec.Plan.Cells))
	out := make([]Check, len(expectations))
	for i, x := range expectations {
		out[i] = check(rec, s, x, level)
	}
	return out
}

func check(rec Record, s samples, x Expectation, level float64) Check {
	c := Check{Expectation: x, Answer: NotResolved, Ratio: estimate(nil, level)}
	a, b, err := rec.Plan.pair(x)
	if err != nil {
		c.Reason = err.Error()
		return c
	}
	c.Ratio = estimate(s.logRatios(a, b), level).exp()
	for _, t := range rec.Results.Tasks {
		if control, ok := t.Control.Get(); ok && t.Task == x.Task && !control.Pass {
			c.Ratio.Low /= Number(control.reach())
			c.Ratio.High *= Number(control.reach())
		}
	}
	c.Answer = x.holds(float64(c.Ratio.Low), float64(c.Ratio.High))
	if c.Answer != Met {
		c.Reason = fmt.Sprintf("the ratio is %.3f [%.3f .. %.3f] in %d rounds", c.Ratio.Median, c.Ratio.Low, c.Ratio.High, c.Ratio.N)
	}
	return c
}

// holds judges the bound against an interval.
func (x Expectation) holds(low, high float64) Answer {
	switch x.Op {
	case "<=":
		return outcome(high <= x.Bound, low > x.Bound)
	case "<":
		return outcome(high < x.Bound, low >= x.Bound)
	case ">=":
		return outcome(low >= x.Bound, high < x.Bound)
	default:
		return outcome(low > x.Bound, high <= x.Bound)
	}
}

func outcome(met, notMet bool) Answer {
	switch {
	case met:
		return Met
	case notMet:
		return NotMet
	}
	return NotResolved
}
