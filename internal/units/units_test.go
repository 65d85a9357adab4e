package units

import (
	"math"
	"testing"
)

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Seconds(0.0123), "12.3 ms"}, {Seconds(0.9996), "1.00 s"}, {Seconds(1e-6), "1.00 µs"}, {Seconds(3e-9), "3.00 ns"}, {Seconds(0.0), "0 s"}, {Seconds(123456.0), "123456 s"},
		{Signed(0.002), "+2.00 ms"}, {Signed(-0.002), "−2.00 ms"}, {Percent(0.123), "12.3 %"}, {Level(0.9958), "99.58 %"}, {Count(12), "12"}, {Count(1.5), "1.50"},
		{Ratio(1.0), "1.00"}, {Ratio(1.08), "1.08"}, {Ratio(1 / 1.8), "1/1.80"}, {Ratio(8.12), "8.1"}, {Ratio(1 / 8.12), "1/8.1"}, {Ratio(25.4), "25.4"}, {Ratio(1e9), "1e+09"}, {Ratio(0.0), "0"},
		{RatioSpan(1/1.2, 1.5), "[1/1.20 .. 1.50]"}, {RatioSpan(0.9996, 1.0), "[1/1.0004 .. 1.00]"}, {RatioSpan(1.0032, 11.0), "[1.003 .. 11.0]"},
		{Span(0.002, 0.0015, 0.0031), "[1.50 .. 3.10]"}, {Digits(math.Inf(-1)), "−∞"}, {Tick(0.30000000000000004), "0.3"}, {Tick(math.Copysign(0, -1)), "0"},
		{ASCII("±1.2× −3 µs … €"), "+-1.2x -3 us ~ ?"}, {Printable("a\x1bb\u202ec\td"), "a?b?c?d"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  []string
	}{{"", 10, []string{""}}, {"a ±b c", 4, []string{"a ±b", "c"}}, {"unbreakable", 4, []string{"unbreakable"}}, {"  a  b ", 9, []string{"a b"}},
		{"is 12 ms, not 5 % more", 8, []string{"is", "12 ms,", "not 5 %", "more"}}, {"s 1", 9, []string{"s 1"}}} {
		got := Wrap(c.in, c.width)
		if len(got) != len(c.want) {
			t.Fatalf("%q: %q", c.in, got)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: %q", c.in, got)
			}
		}
	}
}
