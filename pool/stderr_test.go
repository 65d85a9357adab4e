package pool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"procpool/task"
)

// logLines writes n lines of JSON and one that is long.
var logLines = task.Define("stderr-lines", func(_ context.Context, n int) (int, error) {
	for i := range n {
		fmt.Fprintf(os.Stderr, `{"i":%d,"text":"%s"}`+"\n", i, strings.Repeat("x", 100))
	}
	if n < 10 {
		return n, nil // all of it fits into a pipe that nobody reads
	}
	fmt.Fprintf(os.Stderr, `{"i":-1,"text":"%s"}`+"\n", strings.Repeat("y", 100_000))
	return n, nil
})

// The caller's own Stderr and LogLine get every line, whole.
func TestEveryLineArrivesWhole(t *testing.T) {
	const n = 10_001
	var mu sync.Mutex
	var lines [][]byte
	var out bytes.Buffer
	for name, o := range map[string]Options{
		"LogLine": {LogLine: func(worker int, line []byte) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, bytes.Clone(line))
		}},
		"Stderr": {Stderr: &out},
	} {
		o.Procs, lines = 1, nil
		p := openPool(t, o)
		if _, err := Call(t.Context(), p, logLines, n); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if name == "Stderr" {
			lines = nil
			for line := range bytes.Lines(out.Bytes()) {
				line, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\n")), []byte("[worker 0] "))
				if !ok {
					t.Fatalf("a line without a tag: %q", line)
				}
				lines = append(lines, line)
			}
		}
		for i, line := range lines {
			var v struct{ I int }
			if err := json.Unmarshal(line, &v); err != nil || v.I != i && v.I != -1 {
				t.Fatalf("%s: line %d is %.100q: %v", name, i, line, err)
			}
		}
		if len(lines) != n+1 {
			t.Errorf("%s: %d lines of %d", name, len(lines), n+1)
		}
	}
}

// A blocked writer is a door that opens when it is told to.
type blockedWriter struct{ opened chan struct{} }

func (w blockedWriter) Write(b []byte) (int, error) {
	<-w.opened
	return len(b), nil
}

// Close waits for no writer of the caller's.
func TestABlockedStderrDoesNotHangClose(t *testing.T) {
	w := blockedWriter{make(chan struct{})}
	defer func() { close(w.opened); time.Sleep(50 * time.Millisecond) }() // the relay ends then
	p, err := New(t.Context(), Options{Procs: 1, Stderr: w})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Call(t.Context(), p, logLines, 1); err != nil {
		t.Error(err)
	}
	closed := make(chan struct{})
	begin := time.Now()
	go func() { p.Close(); close(closed) }()
	select {
	case <-closed:
		t.Logf("closed after %v", time.Since(begin))
	case <-time.After(time.Minute):
		t.Fatal("Close hangs")
	}
}

// With limits a worker that writes too much is cut short, and that is said.
func TestLimitedLines(t *testing.T) {
	var out bytes.Buffer
	p := openPool(t, Options{Procs: 1, Stderr: &out, LimitLines: true})
	if _, err := Call(t.Context(), p, logLines, 20_000); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if n := out.Len(); n > 1<<20 || !strings.Contains(out.String(), "lines are not shown, there were too many") {
		t.Errorf("%d bytes, ending in %.200q", n, out.String()[max(n-200, 0):])
	}
}
