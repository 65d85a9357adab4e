package compare

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"procpool/internal/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%v: %s is\n%s\nwant\n%s", err, path, got, want)
	}
}

// The answer is one screen, also on narrow terminals and with the longest reasons.
func TestTheAnswerIsOneScreen(t *testing.T) {
	rec := standard(t, Experiment{MaxTime: 12 * time.Second})
	var b bytes.Buffer
	if err := Text(&b, rec, TextOptions{Details: "Details: --verbose, and so on"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "answer.txt", b.String())
	if n := strings.Count(b.String(), "\n"); n > 40 {
		t.Errorf("%d lines", n)
	}
	for _, o := range []TextOptions{{}, {Width: 40}, {Width: 60, Verbose: true}, {Width: 200, Verbose: true}} {
		var b bytes.Buffer
		if err := Text(&b, standard(t, Experiment{Why: true, Workers: []int{1, 2}, MaxPairs: 20}), o); err != nil {
			t.Fatal(err)
		}
		width := o.Width
		if width == 0 {
			width = 80
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
	}
}

func TestVerboseHasAllTables(t *testing.T) {
	rec := standard(t, Experiment{MaxTime: 12 * time.Second, Why: true})
	var b bytes.Buffer
	if err := Text(&b, rec, TextOptions{Verbose: true, Width: 120}); err != nil {
		t.Fatal(err)
	}
	golden(t, "verbose.txt", b.String())
	for _, tb := range Tables(rec) {
		if !strings.Contains(b.String(), tb.Caption) {
			t.Errorf("%s is missing", tb.Caption)
		}
	}
}

func TestASCIIAndColor(t *testing.T) {
	rec := standard(t, Experiment{MaxTime: 12 * time.Second, Why: true})
	var b bytes.Buffer
	if err := Text(&b, rec, TextOptions{Verbose: true, ASCII: true}); err != nil {
		t.Fatal(err)
	}
	if at := strings.IndexFunc(b.String(), func(r rune) bool { return r > 126 }); at >= 0 || strings.Contains(b.String(), "?") {
		t.Errorf("not ASCII, or unknown: %q", b.String()[max(at-20, 0):])
	}
	b.Reset()
	if err := Text(&b, standard(t, Experiment{}), TextOptions{Color: true, ASCII: true}); err != nil || !strings.Contains(b.String(), "\x1b[32m") || strings.Count(b.String(), "\x1b[0m") != 5 {
		t.Errorf("%v: %q", err, b.String())
	}
	env := func(name string) string { return map[string]string{"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}[name] }
	none := func(string) string { return "" }
	if WantASCII(env) || !WantASCII(none) || WantColor(false, none) || !WantColor(true, none) {
		t.Error("what the environment wants")
	}
}

// What comes from a record moves no cursor and changes no direction of text.
func TestNothingHiddenIsPrinted(t *testing.T) {
	const name = "x\x1b[2J\u009b31m\u202eend\u2066"
	s := newSimulation(1)
	s.noise = lognormal(0.1)
	x := s.experiment(Experiment{Tasks: []Subject{{Name: name, Cause: Cause{name, name}}}, MaxPairs: 12})
	x.Environment = []Fact{{name, name}}
	rec, err := Do(t.Context(), x, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	rec.Notes = []string{name}
	var b bytes.Buffer
	if err := Text(&b, rec, TextOptions{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if at := strings.IndexFunc(b.String(), func(r rune) bool { return text.Hidden(r) && r != '\n' }); at >= 0 {
		t.Errorf("it prints %q", b.String()[max(at-20, 0):])
	}
}
