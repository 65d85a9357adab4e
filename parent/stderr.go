package parent

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"procpool/ipc"
)

const (
	tailLines   = 10              // the last lines that are kept
	lineBytes   = 4 << 10         // a longer line is passed on in pieces
	burstBytes  = 64 << 10        // that a worker may write at once
	bytesPerSec = 64 << 10        // and go on writing
	crashTime   = 2 * time.Second // a crash is over by then, or it was none
)

// A relay passes a worker's standard error on, line by line, with the worker's
// tag. It always reads, so that no worker waits for it, but shows no more than
// a reader could bear: what is over the rate is counted, and of a Go crash only
// the first line and the last ten are shown.
type relay struct {
	out     io.Writer
	verbose bool
	tag     string
	done    chan struct{} // closed when the stream has ended

	mu    sync.Mutex // guards what follows
	crash string     // the line that a crash began with
	tail  [][]byte   // the last lines

	delayed  int       // lines of a crash that are not shown yet; the tail has the last of them
	began    time.Time // of the crash that is delayed
	allowed  float64   // bytes that may be shown now
	refilled time.Time
	dropped  int // lines over the rate since the last that was shown
}

func newRelay(c Config) *relay {
	out := c.Stderr
	if out == nil {
		out = os.Stderr
	}
	return &relay{out: out, verbose: c.Verbose, tag: fmt.Sprintf("[worker %d] ", c.Worker), done: make(chan struct{}), allowed: burstBytes, refilled: time.Now()}
}

// run reads r to its end.
func (t *relay) run(r io.Reader) {
	defer close(t.done)
	lines := bufio.NewReaderSize(r, lineBytes)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			t.line(bytes.TrimRight(line, "\r\n"))
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release()
	t.printDropped()
}

// wait waits for the end of the stream, at most for limit.
func (t *relay) wait(limit time.Duration) {
	select {
	case <-t.done:
	case <-time.After(limit):
	}
}

// last lists the last lines, and before them the first of a crash.
func (t *relay) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	if t.crash != "" {
		out = append(out, t.crash)
	}
	for _, l := range t.tail {
		if string(l) != t.crash {
			out = append(out, string(l))
		}
	}
	return out
}

func (t *relay) line(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.began.IsZero() && time.Since(t.began) > crashTime {
		t.release()
	}
	t.keep(line)
	switch {
	case t.verbose:
		t.show(line)
	case !t.began.IsZero():
		t.delayed++
	default:
		t.show(line)
	}
	if t.began.IsZero() && IsCrash(string(line)) {
		t.began, t.crash = time.Now(), string(line)
	}
}

// keep makes line the tail's last.
func (t *relay) keep(line []byte) {
	if len(t.tail) < tailLines {
		t.tail = append(t.tail, bytes.Clone(line))
		return
	}
	first := t.tail[0]
	copy(t.tail, t.tail[1:])
	t.tail[tailLines-1] = append(first[:0], line...)
}

// release prints the last lines of a crash.
func (t *relay) release() {
	if n := t.delayed - tailLines; n > 0 && !t.verbose {
		t.print(fmt.Appendf(nil, "... %d lines of the crash are not shown (-v shows them)", n))
	}
	if !t.verbose {
		for _, l := range t.tail[max(len(t.tail)-t.delayed, 0):] {
			t.print(l)
		}
	}
	t.delayed, t.began = 0, time.Time{}
}

// show prints line if the rate allows it.
func (t *relay) show(line []byte) {
	now := time.Now()
	t.allowed = min(burstBytes, t.allowed+bytesPerSec*now.Sub(t.refilled).Seconds())
	t.refilled = now
	if t.allowed < float64(len(line)) {
		t.dropped++
		return
	}
	t.allowed -= float64(len(line) + 1)
	t.printDropped()
	t.print(line)
}

// printDropped prints how many lines were over the rate.
func (t *relay) printDropped() {
	if t.dropped > 0 {
		t.print(fmt.Appendf(nil, "... %d lines are not shown, there were too many", t.dropped))
		t.dropped = 0
	}
}

func (t *relay) print(line []byte) {
	out := append(append([]byte(t.tag), line...), '\n')
	t.out.Write(out)
}

// atTerminal reports whether the worker said that its standard input is a terminal.
func (t *relay) atTerminal() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.tail, func(line []byte) bool { return strings.Contains(string(line), ipc.AtTerminal) })
}

// IsCrash reports whether a line is what a dying Go program writes first.
func IsCrash(line string) bool {
	return slices.ContainsFunc([]string{"panic: ", "fatal error: ", "runtime: ", "SIGSEGV", "SIGABRT", "SIGQUIT", "unexpected fault address"},
		func(prefix string) bool { return strings.HasPrefix(line, prefix) })
}
