package compare

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"procpool/pool"
)

// An Expectation is a claim about the ratio of two times, such as
//
//	alloc@2: processes/goroutines <= 1.1
//
// which says that with 2 workers processes take at most 1.1 times as long as
// goroutines on the task alloc, starting not counted.
type Expectation struct {
	Text    string
	Task    string
	Workers int // of both; of the other one where one is serial
	A, B    pool.Backend
	Op      string // "<=", "<", ">=" or ">"
	Bound   float64
}

// An Answer says whether an expectation holds.
type Answer string

// The answers. NotResolved includes everything that prevents an answer: an interval that
// is too wide, or a cell that could not run.
const (
	Met         Answer = "met"
	NotMet      Answer = "not met"
	NotResolved Answer = "unresolved"
)

// A Check is an expectation with its answer.
type Check struct {
	Expectation
	Answer Answer
	Ratio  Estimate // of the row, turned where the expectation has it the other way round
	Reason string   // of an answer other than Met
}

// expectation is the form of one; blanks do not matter.
const expectation = `^\s*(\S+?)\s*@\s*(\d+)\s*:\s*(\w+)\s*/\s*(\w+)\s*(<=|<|>=|>)\s*(\S+?)x?\s*$`

// ParseExpectation reads an expectation in the form TASK@WORKERS:
// BACKEND/BACKEND OP NUMBER; blanks do not matter.
func ParseExpectation(s string) (Expectation, error) {
	fail := func(format string, args ...any) (Expectation, error) {
		return Expectation{}, fmt.Errorf("expectation %q: "+format, append([]any{s}, args...)...)
	}
	part := regexp.MustCompile(expectation).FindStringSubmatch(s)
	if part == nil {
		return fail("want TASK@WORKERS: BACKEND/BACKEND <= NUMBER, as in alloc@2: processes/goroutines <= 1.1")
	}
	workers, err := strconv.Atoi(part[2])
	if err != nil || workers < 1 {
		return fail("%q is not a number of workers", part[2])
	}
	bound, err := strconv.ParseFloat(part[6], 64)
	if err != nil || !(bound > 0) || math.IsInf(bound, 0) {
		return fail("%q is not a ratio: want a number above 0, such as 1.1", part[6])
	}
	e := Expectation{Text: s, Task: part[1], Workers: workers, A: pool.Backend(part[3]), B: pool.Backend(part[4]), Op: part[5], Bound: bound}
	if err := cmp.Or(checkBackend(e.A), checkBackend(e.B)); err != nil {
		return fail("%w", err)
	}
	if e.A == e.B {
		return fail("it compares %s with itself", e.A)
	}
	return e, nil
}

// CanAnswer returns an error if the experiment has no row for e. If it has one, but its
// cells cannot run on this machine, [CheckAll] answers NotResolved.
func (x Experiment) CanAnswer(e Expectation) error {
	x.Environment = []Fact{} // avoids Environment, which is slow
	var p Plan
	x.withDefaults().layout(&p)
	return p.CanAnswer(e)
}

// CanAnswer returns an error if the plan has no row for e.
func (p *Plan) CanAnswer(e Expectation) error {
	if i, _ := p.row(e.Task, e.A, e.B, e.Workers); i < 0 {
		return fmt.Errorf("the experiment does not compare %s with %s on %s with %d workers", e.A, e.B, e.Task, e.Workers)
	}
	return nil
}

// CheckAll compares expectations with the results of a record. An expectation is met or
// not met only when the whole interval of its row lies on one side of the bound.
func CheckAll(rec Record, expectations []Expectation) []Check {
	out := make([]Check, len(expectations))
	for i, e := range expectations {
		out[i] = check(rec, e)
	}
	return out
}

func check(rec Record, e Expectation) Check {
	c := Check{Expectation: e, Answer: NotResolved}
	i, turned := rec.Plan.row(e.Task, e.A, e.B, e.Workers)
	if i < 0 || i >= len(rec.Results.Rows) {
		c.Reason = "it did not run"
		return c
	}
	c.Ratio = rec.Results.Rows[i].Ratio
	if turned {
		c.Ratio = c.Ratio.Turned()
	}
	if !c.Ratio.Bounded() {
		c.Reason = fmt.Sprintf("%d pairs are too few", c.Ratio.N)
		return c
	}
	c.Answer = e.holds(float64(c.Ratio.Low), float64(c.Ratio.High))
	if c.Answer != Met {
		c.Reason = fmt.Sprintf("the ratio is %.3f [%.3f .. %.3f] in %d pairs", c.Ratio.Centre, c.Ratio.Low, c.Ratio.High, c.Ratio.N)
	}
	return c
}

// holds compares the bound with an interval.
func (e Expectation) holds(low, high float64) Answer {
	met, notMet := low >= e.Bound, high < e.Bound
	switch e.Op {
	case "<=":
		met, notMet = high <= e.Bound, low > e.Bound
	case "<":
		met, notMet = high < e.Bound, low >= e.Bound
	case ">":
		met, notMet = low > e.Bound, high <= e.Bound
	}
	if met {
		return Met
	} else if notMet {
		return NotMet
	}
	return NotResolved
}
