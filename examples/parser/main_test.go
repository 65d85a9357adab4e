package main

import (
	"bytes"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/pool"
)

func TestMain(m *testing.M) {
	pool.Main()
	os.Exit(m.Run())
}

func TestEachDocumentCostsItselfOnly(t *testing.T) {
	finite := func(yield func(string) bool) {
		for doc := range documents() {
			if doc != "loop" && !yield(doc) {
				return
			}
		}
	}
	check(t, finite, time.Hour, []string{
		"6",
		`is wrong: strconv.Atoi: parsing "two": invalid syntax`,
		"crashed the parser: panic: runtime error: index out of range [5] with length 3",
		"killed the parser, exit code 7",
		"killed the parser, exit code 2: panic: lost the thread",
		"killed the parser, exit code 2: runtime: goroutine stack exceeds",
		"killed the parser, exit code 2: " + segfaultSays,
		"15",
	})
	check(t, slices.Values([]string{"loop"}), 300*time.Millisecond, []string{"took longer than 300ms"})
}

func check(t *testing.T, docs iter.Seq[string], timeout time.Duration, want []string) {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), &out, docs, timeout); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), &out)
	}
	for i, w := range want {
		if _, line, _ := strings.Cut(lines[i], ": "); !strings.HasPrefix(line, w) {
			t.Errorf("document %d: got %q, want %q", i, line, w)
		}
	}
}
