package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	var n int64
	var d time.Duration
	var f float64
	var word string
	var counts []int
	for _, c := range []struct {
		value       flagValue
		given, want string // want is the refusal, or ""
	}{
		{number(&n, "2", 1, 10), "010", ""},
		{number(&n, "2", 1, 10), "11", `--flag is "11": it can be at most 10`},
		{number(&n, "2", 1, 10), "0", `--flag is "0": it must be at least 1`},
		{number(&n, "2", 1, 10), "-1", `--flag is "-1": it must not be negative`},
		{number(&n, "", 1, 10), "", `--flag is "": it must be a whole number`},
		{duration(&d, "1s"), "0.5", ""},
		{duration(&d, "1s"), "soon", `--flag is "soon": it must be a time above 0`},
		{fraction(&f, "2%"), "0.5", ""},
		{fraction(&f, "2%"), "200%", `--flag is "200%": it must be between 0 and 1`},
		{choice(&word, "a", "a", "b", "c"), "b", ""},
		{choice(&word, "a", "a", "b", "c"), "", `--flag is "": it must be a, b or c`},
		{newValue(&counts, "auto", readProcsList), "1..3,8", ""},
		{newValue(&counts, "auto", readProcsList), "3..2", `--flag is "3..2": 3..2 runs backwards`},
		{newValue(&n, "", func(string) (int64, error) { return 0, usage("all of it") }), "x", "all of it"},
	} {
		err := c.value.Set(c.given)
		refused := c.value.refusal("--flag")
		if (err != nil) != (c.want != "") || c.value.String() != c.given {
			t.Errorf("%q: %v; it is %q", c.given, err, c.value)
		}
		if c.want == "" && refused != nil || c.want != "" && !strings.HasPrefix(refused.Error(), c.want) {
			t.Errorf("%q is refused by %v, want %q", c.given, refused, c.want)
		}
	}
}

// A value that was refused, and is given again, holds.
func TestLaterValueHolds(t *testing.T) {
	var n int
	v := number(&n, "2", 1, 10)
	if n != 2 || v.Set("x") == nil || v.Set("3") != nil || n != 3 || v.refusal("--flag") != nil {
		t.Errorf("it is %d, refused by %v", n, v.refusal("--flag"))
	}
}

func TestList(t *testing.T) {
	var words []string
	if v := list(&words, "a", asIs); !slices.Equal(words, []string{"a"}) || v.Set("b, c") != nil || !slices.Equal(words, []string{"b", "c"}) {
		t.Errorf("it is %q", words)
	}
}
