package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"procpool/compare/rank"
	"procpool/internal/text"
	"procpool/internal/units"
	"procpool/pool"
)

// telling is the ratio of CPU times, of the slower side to serial, above which the CPU time
// is given as the reason.
const telling = 1.3

// because returns a few words on why a row ends as it does: the task's own cause if CPU
// times confirm it, else the largest parts of the gap. borne reports the former.
func (a *analysis) because(r RowResult, pairs [][2]Run) (why string, borne bool) {
	if r.Verdict == Open || r.Verdict == Same {
		return bound(r.Ratio), false
	}
	row := a.p.Rows[r.Row]
	loser, slower := row.A, r.A
	if r.Verdict == Faster {
		loser, slower = row.B, r.B
	}
	if used, ok := a.cpu(loser); ok && used.times > telling {
		cause := a.p.task(r.Task).Cause
		words := cause.Shared
		if slower == pool.Processes {
			words = cause.Repeated
		}
		borne = words != ""
		return cmp.Or(words, string(slower)) + ": " + units.Digits(used.times) + "× the CPU time" + used.where, borne
	}
	return gap(pairs), false
}

// cpuUse is the CPU time of a cell against that of the serial one.
type cpuUse struct {
	times float64
	where string // where most of what it uses more goes
}

func (a *analysis) cpu(cell int) (u cpuUse, ok bool) {
	c, serial := a.result(cell), a.result(a.p.find(a.p.Cells[cell].Task, pool.Serial, 1))
	if c == nil || serial == nil {
		return u, false
	}
	used, known := c.CPUSeconds().Get()
	base, also := serial.CPUSeconds().Get()
	if !known || !also || base <= 0 {
		return u, false
	}
	u.times = used / base
	system, _ := c.SystemSeconds.Get()
	had, _ := serial.SystemSeconds.Get()
	if system-had > (used-base)/2 {
		u.where = ", most in the kernel"
	}
	return u, true
}

// bound describes an interval of ratios: "between 9 % faster and 12 % slower".
func bound(e Estimate) string {
	if !e.Bounded() {
		return "too few pairs for an interval (" + text.Plural(int64(e.N), "pair") + ")"
	}
	side := func(x float64, word string) string {
		if x >= 2 {
			return units.Digits(x) + "× " + word
		}
		return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*(x-1)), ".0") + " % " + word
	}
	low, high := float64(e.Low), float64(e.High)
	from, to := side(1/low, "faster"), side(high, "slower")
	if low > 1 {
		from = side(low, "slower")
	} else if high < 1 {
		to = side(1/high, "faster")
	}
	return "between " + from + " and " + to
}

// gap names the largest parts of the difference, as medians over the pairs.
func gap(pairs [][2]Run) string {
	median := func(figure func(Run) float64) float64 {
		x := make([]float64, len(pairs))
		for i, p := range pairs {
			x[i] = figure(p[0]) - figure(p[1])
		}
		return rank.Median(x)
	}
	in := func(phases ...Phase) float64 { return median(func(r Run) float64 { return r.mean(phases...) }) }
	type part struct {
		name    string
		seconds float64
	}
	parts := []part{{"computing", in(PhaseCompute)}, {"messages", in(PhaseDispatch, PhaseReply)}, {"waiting", in(PhaseIdle)}, {"collector", in(PhaseGC)}}
	whole := median(Run.Computing)
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(math.Abs(b.seconds), math.Abs(a.seconds)) })
	u := units.Of(whole)
	var words []string
	for _, p := range parts[:3] {
		if math.Abs(p.seconds) >= math.Abs(whole)/8 {
			words = append(words, units.Digits(p.seconds*u.Scale)+" "+p.name)
		}
	}
	out := units.Signed(whole)
	if len(words) > 0 {
		out += ": " + strings.Join(words, ", ")
	}
	return out
}
