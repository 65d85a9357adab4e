package text

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0 workers", 1: "1 worker", 2: "2 workers", -1: "-1 workers"} {
		if got := Plural(n, "worker"); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 999.7: "0.976 KiB", 1000: "0.977 KiB", 1 << 20: "1 MiB", 1.5 * (1 << 30): "1.5 GiB", math.MaxInt64: "8 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%g: %q, not %q", n, got, want)
		}
	}
}

func TestJSONFloat(t *testing.T) {
	for v, want := range map[float64]string{0.1: "0.1", math.Inf(1): `"+Inf"`, math.Inf(-1): `"-Inf"`, 1e300: "1e+300"} {
		if got := string(JSONFloat(v)); got != want {
			t.Errorf("%g: %s, not %s", v, got, want)
		}
	}
	if got := string(JSONFloat(math.NaN())); got != `"NaN"` {
		t.Error(got)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one two three four", []string{"one two", "three four"}},
		{"ten bytes! more", []string{"ten bytes!", "more"}},
		{"0-3,8,10,12,14", []string{"0-3,8,10,", "12,14"}},
		{"cpus 0,3-8,10", []string{"cpus 0,", "3-8,10"}}, // not before the comma
		{strings.Repeat("x", 25), []string{strings.Repeat("x", 10), strings.Repeat("x", 10), "xxxxx"}},
	} {
		if got := slices.Collect(Wrap(c.text, 10)); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, not %q", c.text, got, c.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	if got := ShellQuote("a", "", "b c", "it's", "$HOME", "--x=1"); got != `a '' 'b c' 'it'\''s' '$HOME' --x=1` {
		t.Error(got)
	}
}
