package command

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestPrintedNumbers(t *testing.T) {
	for s, want := range map[string]string{
		"0": "0", "-0": "0", "007": "7", "+12": "12", "-12": "-12",
		"123456789012345678901234567890": "123456789012345678901234567890",
		"0.0":                            "0e0", "-0.0": "0e0", "0e99": "0e0", "1.0": "1e0", "1.50": "15e-1", ".5": "5e-1", "5.": "5e0", "-2.5E+3": "-25e2",
		"1e308": "1e308", "1e-400": "1e-400",
	} {
		n, err := printedNumber(s)
		if err != nil || n.text() != want {
			t.Errorf("%q is %s, %v, not %s", s, n.text(), err, want)
		}
	}
	for _, s := range []string{"", "-", "+", ".", "e5", "1e", "1e+", "1e1.5", "--1", "+-1", "1 2", "1_000", "0x10", "nan", "inf", "1,5", "١", "1e100001", "1e-100001", "1e99999999999999999999",
		strings.Repeat("1", maxDigits+1)} {
		if n, err := printedNumber(s); err == nil {
			t.Errorf("%.40q is %.40s", s, n.text())
		}
	}
}

// Whatever the order and the grouping, partials reduce to the same text, and that is
// the exact sum, the least, the greatest.
func TestReductionIsExactInEveryOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		var printed []string
		for range 1 + r.IntN(12) {
			printed = append(printed, randomNumber(r))
		}
		for _, reduce := range []string{Sum, Min, Max} {
			want := exactly(reduce, printed)
			text := ""
			for range 4 {
				r.Shuffle(len(printed), func(i, j int) { printed[i], printed[j] = printed[j], printed[i] })
				got := reduced(t, r, reduce, printed)
				if text == "" {
					text = got.Number
				}
				value, ok := new(big.Rat).SetString(got.Number)
				if !ok || value.Cmp(want) != 0 || got.Number != text {
					t.Fatalf("round %d: %s of %q is %s, and was %s", round, reduce, printed, got.Number, text)
				}
			}
		}
	}
}

func randomNumber(r *rand.Rand) string {
	digits := strconv.FormatInt(r.Int64N(1000)-500, 10)
	switch r.IntN(4) {
	case 0:
		return digits
	case 1:
		return digits + strings.Repeat("0", r.IntN(40))
	case 2:
		return digits + "." + strconv.Itoa(r.IntN(100))
	}
	return digits + "e" + strconv.Itoa(r.IntN(600)-300)
}

// exactly is the reduction by rational numbers.
func exactly(reduce string, printed []string) *big.Rat {
	var total *big.Rat
	for _, s := range printed {
		v, _ := new(big.Rat).SetString(s)
		switch {
		case total == nil:
			total = v
		case reduce == Sum:
			total = new(big.Rat).Add(total, v)
		case (v.Cmp(total) < 0) == (reduce == Min):
			total = v
		}
	}
	return total
}

// reduced adds partials up in random groups, as workers, journals and merges do.
func reduced(t *testing.T, r *rand.Rand, reduce string, printed []string) Partial {
	var all []Partial
	for _, s := range printed {
		o := output{last: []byte(s)}
		p, err := o.partial(reduce)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for len(all) > 1 {
		i := r.IntN(len(all) - 1)
		all[i] = add(all[i], all[i+1])
		all = append(all[:i+1], all[i+2:]...)
	}
	return all[0]
}

func TestResults(t *testing.T) {
	for _, c := range []struct{ reduce, printed, want string }{
		{Sum, strings.Repeat("0.1 ", 10), "1"},
		{Sum, "1e308 1e308 -1e308", "1e+308"},
		{Sum, "1e308 1e308", "+Inf"},
		{Sum, "0.1 0.2", "0.3"},
		{Sum, "1e16 1 -1e16", "1"},
		{Sum, "99999999999999999999 1", "100000000000000000000"},
		{Sum, "9007199254740993", "9007199254740993"}, // 2^53 + 1
		{Sum, "9007199254740993.0", "9.007199254740992e+15"},
		{Sum, "1 2.50", "3.5"},
		{Min, "3 2.0 2 7", "2"},
		{Max, "1e3 1000 -5", "1000"},
		{Max, "12345678901234567890 1e19", "12345678901234567890"},
		{None, "", "no number"},
	} {
		total := Partial{}
		for s := range strings.FieldsSeq(c.printed) {
			p, err := (&output{last: []byte(s)}).partial(c.reduce)
			if err != nil {
				t.Fatal(err)
			}
			total = add(total, p)
		}
		if got := total.String(); got != c.want || total.Check() != nil {
			t.Errorf("%s of %s is %s, not %s", c.reduce, c.printed, got, c.want)
		}
		want := c.want
		switch want {
		case "+Inf":
			want = `"+Inf"`
		case "no number":
			want = "null"
		}
		if raw, err := json.Marshal(total); err != nil || string(raw) != want {
			t.Errorf("%s of %s is %s in JSON, %v", c.reduce, c.printed, raw, err)
		}
	}
	if bad := (Partial{Reduce: Sum, Number: "x"}); add(bad, Partial{Reduce: Sum, Number: "1"}).Check() == nil || add(Partial{Reduce: Sum, Number: "1"}, bad).Check() == nil {
		t.Error("a partial that is no number is lost in a sum")
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add("1.5", "-2e3")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := printedNumber(a)
		y, err2 := printedNumber(b)
		if err != nil || err2 != nil || len(a)+len(b) > 1000 || max(x.power, y.power) > 1000 || min(x.power, y.power) < -1000 {
			return
		}
		sum := x.plus(y)
		again, err := parseNumber(sum.text())
		if err != nil || again.text() != sum.text() || sum.text() != y.plus(x).text() {
			t.Errorf("%q + %q is %s, and then %s, %v", a, b, sum.text(), again.text(), err)
		}
		if x.compare(y) != -y.compare(x) {
			t.Errorf("%q and %q", a, b)
		}
	})
}
