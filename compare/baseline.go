package compare

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"

	"procpool/internal/units"
	"procpool/pool"
)

// A Change says how a row's ratio differs between two records.
type Change struct {
	Task    string
	Workers int
	A, B    pool.Backend
	Old     Estimate
	New     Estimate
	Ratio   Estimate // New / Old
	Changed bool     // the interval of Ratio is without 1
}

// Changes compares two records row by row, old with new. Each interval is taken at half
// of the error that the new record's confidence leaves, so that all changes together hold
// with that confidence. Rows that only one of the two has are left out; it is an error if
// there are no others.
func Changes(old, new Record) ([]Change, error) {
	confidence := 1 - (1-new.Plan.Confidence)/2
	for _, rec := range []*Record{&old, &new} {
		if err := rec.Judge(confidence, 0); err != nil {
			return nil, err
		}
	}
	var out []Change
	for _, n := range new.Results.Rows {
		i, turned := old.Plan.row(n.Task, n.A, n.B, n.Workers)
		if i < 0 || !n.Ratio.Bounded() && n.Ratio.N == 0 {
			continue
		}
		o := old.Results.Rows[i].Ratio
		if turned {
			o = o.Turned()
		}
		c := Change{Task: n.Task, Workers: n.Workers, A: n.A, B: n.B, Old: o, New: n.Ratio}
		c.Ratio = Estimate{Centre: n.Ratio.Centre / o.Centre, Low: n.Ratio.Low / o.High, High: n.Ratio.High / o.Low, N: min(n.Ratio.N, o.N)}
		c.Changed = c.Ratio.Low > 1 || c.Ratio.High < 1
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("the two records have no row in common")
	}
	return out, nil
}

// ChangesText writes what [Changes] found, a line a row.
func ChangesText(w io.Writer, changes []Change, o TextOptions) {
	t := &textWriter{w: bufio.NewWriter(w), TextOptions: o}
	t.Width = max(cmp.Or(t.Width, 80), 40)
	tb := Table{Caption: "Against the baseline: the new ratio divided by the old one", Align: "lrrrrl",
		Head: []string{"task", "old", "new", "new/old", "interval", "verdict"}}
	for _, c := range changes {
		verdict := "no change shown"
		if c.Changed {
			verdict = "changed"
		}
		tb.Rows = append(tb.Rows, []string{fmt.Sprintf("%s %s/%s×%d", c.Task, c.A, c.B, c.Workers),
			units.Ratio(c.Old.Centre), units.Ratio(c.New.Centre), units.Ratio(c.Ratio.Centre), c.Ratio.Span(), verdict})
	}
	t.table(tb)
	t.w.Flush()
}
