package text

import (
	"strings"
	"testing"
	"unicode"
)

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"":                     "",
		"plain\ttext, köln, 数": "plain\ttext, köln, 数",
		"नमस्\u200dते 👩\u200d🔬": "नमस्\u200dते 👩\u200d🔬",
		"50 %\r100 %":                    `50 %\x0d100 %`,
		"\x1b[2K\x1b[1A[worker 1] hello": `\x1b[2K\x1b[1A[worker 1] hello`,
		"\u009b31m\x7f\x00":              `\u009b31m\x7f\x00`,
		"user\u202etxt.exe\u2066":        `user\u202etxt.exe\u2066`,
		"a\u2028b\u200b\ufeff":           `a\u2028b\u200b\ufeff`,
		"tag\U000e0041":                  `tag\U000e0041`,
		"cut \xe2\x82 and \xff":          `cut \xe2\x82 and \xff`,
	} {
		if got := Printable(s); got != want {
			t.Errorf("%q: %q, not %q", s, got, want)
		}
		if got := string(AppendPrintable([]byte("x"), []byte(s))); got != "x"+want {
			t.Errorf("%q: AppendPrintable gives %q", s, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	for s, want := range map[string]string{
		" a\nb\x1b[1m\tc\n": `a; b\x1b[1m c`,
		"worker 1\r\n":      "worker 1",
	} {
		if got := OneLine(s); got != want {
			t.Errorf("%q: %q, not %q", s, got, want)
		}
	}
}

// Whatever comes, what goes to a terminal is one line without anything hidden in it.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b\u202e\xff\r")
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(strings.ReplaceAll(s, "\n", ""))
		for _, r := range got {
			if unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar && !strings.ContainsRune(s, r) {
				t.Errorf("%q has %q", got, r)
			}
		}
		if again := Printable(got); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}

func BenchmarkAppendPrintable(b *testing.B) {
	line := []byte(strings.Repeat("a line of a task's log, ", 5))
	b.SetBytes(int64(len(line)))
	var dst []byte
	for b.Loop() {
		dst = AppendPrintable(dst[:0], line)
	}
}
