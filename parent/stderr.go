package parent

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"procpool/ipc"
)

const (
	tailLines   = 10              // number of last lines that are kept
	wholeLine   = 1 << 20         // bytes; a longer line is passed on in pieces
	limitedLine = 4 << 10         // the same with LimitLines
	burstBytes  = 64 << 10        // passed on at once with LimitLines
	bytesPerSec = 64 << 10        // passed on per second after that
	crashTime   = 2 * time.Second // a process that still writes after this did not crash
)

// A relay passes a worker's standard error on, line by line. It keeps reading, so that the
// worker never waits for it, unless LogLine blocks. With LimitLines it limits the rate,
// counts the lines that it drops, and passes on only the first line and the last ten of a
// Go crash.
type relay struct {
	pass    func(line []byte)
	limited bool
	done    chan struct{} // closed when the stream has ended

	mu    sync.Mutex
	crash string   // the first line of a crash
	tail  [][]byte // the last lines

	// Used only by run's goroutine.
	delayed  int       // lines of a crash that are not passed on yet; tail has the last of them
	began    time.Time // when that crash began; zero if there is none
	allowed  float64   // bytes that may be passed on now
	refilled time.Time // when allowed was last increased
	dropped  int       // lines over the rate since the last line that was passed on
}

func newRelay(c Config) *relay {
	pass := c.LogLine
	if pass == nil {
		pass = func([]byte) {}
	}
	return &relay{pass: pass, limited: c.LimitLines, done: make(chan struct{}), allowed: burstBytes, refilled: time.Now()}
}

// run reads r to its end.
func (t *relay) run(r io.Reader) {
	defer close(t.done)
	longest := wholeLine
	if t.limited {
		longest = limitedLine
	}
	lines := bufio.NewReaderSize(r, limitedLine)
	var line []byte
	for {
		piece, err := lines.ReadSlice('\n')
		line = append(line, piece...)
		if err == bufio.ErrBufferFull && len(line) < longest {
			continue
		}
		if len(line) > 0 {
			t.line(bytes.TrimRight(line, "\r\n"))
		}
		if line = line[:0]; err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	t.release()
	t.passDropped()
}

// wait waits for the end of the stream, but no longer than limit.
func (t *relay) wait(limit time.Duration) {
	select {
	case <-t.done:
	case <-time.After(limit):
	}
}

// last returns the last lines, preceded by the first line of a crash.
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
	if !t.began.IsZero() && time.Since(t.began) > crashTime {
		t.release()
	}
	crash := t.keep(line)
	switch {
	case !t.limited:
		t.pass(line)
	case !t.began.IsZero():
		t.delayed++
	default:
		t.show(line)
	}
	if crash && t.limited && t.began.IsZero() {
		t.began = time.Now()
	}
}

// keep appends line to the tail, and reports whether a crash begins with it.
func (t *relay) keep(line []byte) (crash bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if crash = IsCrash(string(line)); crash && t.crash == "" {
		t.crash = string(line)
	}
	if len(t.tail) < tailLines {
		t.tail = append(t.tail, bytes.Clone(line))
		return crash
	}
	first := t.tail[0]
	copy(t.tail, t.tail[1:])
	t.tail[tailLines-1] = append(first[:0], line...)
	return crash
}

// release passes on the last lines of a crash.
func (t *relay) release() {
	if n := t.delayed - tailLines; n > 0 {
		t.pass(fmt.Appendf(nil, "... %d lines of the crash are not shown (-v shows them)", n))
	}
	t.mu.Lock()
	var last [][]byte
	for _, l := range t.tail[max(len(t.tail)-t.delayed, 0):] {
		last = append(last, bytes.Clone(l))
	}
	t.mu.Unlock()
	for _, l := range last {
		t.pass(l)
	}
	t.delayed, t.began = 0, time.Time{}
}

// show passes line on if the rate allows it.
func (t *relay) show(line []byte) {
	now := time.Now()
	t.allowed = min(burstBytes, t.allowed+bytesPerSec*now.Sub(t.refilled).Seconds())
	t.refilled = now
	if t.allowed < float64(len(line)) {
		t.dropped++
		return
	}
	t.allowed -= float64(len(line) + 1)
	t.passDropped()
	t.pass(line)
}

// passDropped passes on a note of how many lines were dropped.
func (t *relay) passDropped() {
	if t.dropped > 0 {
		t.pass(fmt.Appendf(nil, "... %d lines are not shown, there were too many", t.dropped))
		t.dropped = 0
	}
}

// atTerminal reports whether the worker said that its standard input is a terminal.
func (t *relay) atTerminal() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.tail, func(line []byte) bool { return strings.Contains(string(line), ipc.AtTerminal) })
}

// IsCrash reports whether line is the first line that a crashing Go program writes.
func IsCrash(line string) bool {
	return slices.ContainsFunc([]string{"panic: ", "fatal error: ", "runtime: ", "SIGSEGV", "SIGABRT", "SIGQUIT", "unexpected fault address"},
		func(prefix string) bool { return strings.HasPrefix(line, prefix) })
}
