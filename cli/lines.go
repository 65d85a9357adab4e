package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"procpool/internal/text"
)

// repetitions collapses equal lines of about the same time into one with a count, because
// hundreds of workers may print the same error at once.
type repetitions struct {
	last  map[int]string // the last line of each worker
	known map[string]*said
}

// said is a line that was seen.
type said struct {
	worker int
	shown  time.Time
	more   int // repetitions since then
	alike  int // times that it was shown
}

const (
	anybody   = -1 // stands for this program: an equal line is always a repetition
	mostAlike = 3  // but so many are shown, because their numbers may differ
	// repeatWithin is how long after a line was shown an equal one is a repetition.
	repeatWithin = 10 * time.Second
	mostKnown    = 256 // lines that are remembered
)

// take reports whether to show a worker's line, and how often the line was repeated since
// it was last shown. A line is a repetition if another worker printed it within
// repeatWithin, or the same worker printed it last.
func (l *repetitions) take(worker int, what string) (show bool, before int) {
	if l.known == nil {
		l.last, l.known = make(map[int]string), make(map[string]*said)
	}
	again := worker == anybody || l.last[worker] == what
	l.last[worker] = what
	s := l.known[what]
	switch {
	case s == nil && len(l.known) == mostKnown:
		return true, 0
	case s == nil:
		s = &said{}
		l.known[what] = s
	case worker == anybody && s.alike < mostAlike:
	case (again || s.worker != worker) && time.Since(s.shown) < repeatWithin:
		s.more++
		return false, 0
	}
	before = s.more
	*s = said{worker: worker, shown: time.Now(), alike: s.alike + 1}
	return true, before
}

// unshown yields the lines that were repeated since they were last shown, sorted, and how
// often.
func (l *repetitions) unshown(yield func(what string, times int) bool) {
	var repeated []string
	for what, s := range l.known {
		if s.more > 0 {
			repeated = append(repeated, what)
		}
	}
	slices.Sort(repeated)
	for _, what := range repeated {
		if !yield(what, l.known[what].more) {
			return
		}
	}
}

// withoutNumbers returns a text without its digits.
func withoutNumbers(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// workerLine prints a line of a worker's standard error, unless it is a repetition.
func (p *progress) workerLine(worker int, line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if show, before := p.lines.take(worker, string(line)); show {
		p.clear()
		p.out.Write(append(text.AppendPrintable(fmt.Appendf(nil, "[worker %d] ", worker), line), timesBefore(before)...))
	}
}

// timesBefore returns the end of a line that was repeated n times before.
func timesBefore(n int) string {
	if n == 0 {
		return "\n"
	}
	return fmt.Sprintf(" (and %s before)\n", text.Plural(int64(n), "time"))
}

// reportRepetitions prints at the end of a run which lines were not shown, and how many.
func (p *progress) reportRepetitions(out io.Writer) {
	for line, n := range p.lines.unshown {
		out.Write(append(text.AppendPrintable(fmt.Appendf(nil, "[%s] ", text.Plural(int64(n), "more time")), line), '\n'))
	}
	n := p.unshown
	for _, more := range p.noted.unshown {
		n += more
	}
	if n > 0 {
		fmt.Fprintf(out, "%s: not shown: %s like these\n", p.name, text.Plural(int64(n), "more line"))
	}
}
