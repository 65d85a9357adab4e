package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/terminal"
	"procpool/internal/text"
)

// A progress shows how far a run is: in one line that is drawn again and again
// on a terminal, in plain lines where --progress always asks for them elsewhere.
// The notes of a run go through it, so that they do not garble the line.
type progress struct {
	name     string // of the program
	out      io.Writer
	show     bool
	quiet    bool
	terminal bool
	ending   <-chan struct{} // is closed when the run is asked to end; may be nil
	stop     chan struct{}
	ended    sync.WaitGroup

	mu      sync.Mutex // guards out and what follows
	begin   time.Time
	chunks  int64
	earlier int64 // of those, done by earlier runs
	done    int64 // by this one
	workers int
	busy    float64 // seconds that the finished chunks took, each by itself
	gone    int     // workers lost
	status  string  // is shown in place of chunks, if not ""
	drawn   bool
	notes   int // shown
	unshown int // notes over mostNotes
	noted   repetitions
	lines   repetitions // of workers
}

const (
	drawEvery = 200 * time.Millisecond // on a terminal
	lineEvery = 10 * time.Second       // elsewhere
	quietTime = time.Second            // runs shorter than this show nothing on a terminal

	// fewChunks is how many chunks a worker has, at most, in a run whose line
	// shows the time alone: their number says little while each takes long.
	fewChunks = 4
)

func progressFlag(when *string) cli.Flag {
	return &cli.GenericFlag{Category: categoryOutput, Name: "progress", Value: choice(when, "auto", "auto", "always", "never"), Usage: "`WHEN` to show progress on stderr: auto (on a terminal), always or never"}
}

func (p *program) newProgress(when string) *progress {
	g := &progress{name: p.Name, out: p.Stderr, quiet: p.quiet}
	g.terminal = terminal.Is(p.Stderr) && os.Getenv("TERM") != "dumb" // which cannot draw a line anew
	g.show = !p.quiet && (when == "always" || when == "auto" && g.terminal)
	return g
}

func (p *progress) shown() bool { return p.show }

// start begins to show progress over chunks, which so many workers compute. end
// must follow.
func (p *progress) start(chunks int64, workers int) {
	p.begin, p.chunks, p.workers = time.Now(), chunks, workers
	if !p.show {
		return
	}
	every := lineEvery
	if p.terminal {
		every = drawEvery
	}
	p.stop = make(chan struct{})
	p.ended.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.draw()
			}
		}
	})
}

// end removes the line, or leaves a last one where lines are plain.
func (p *progress) end() {
	defer p.reportRepetitions(p.out)
	if p.stop == nil {
		return
	}
	close(p.stop)
	p.ended.Wait()
	if !p.terminal {
		p.draw()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// set replaces what the line shows.
func (p *progress) set(status string) {
	p.mu.Lock()
	p.status = status
	p.mu.Unlock()
}

// chunk counts a finished chunk.
func (p *progress) chunk(seconds float64) {
	p.mu.Lock()
	p.done++
	p.busy += seconds
	p.mu.Unlock()
}

// lost counts a lost worker.
func (p *progress) lost() {
	p.mu.Lock()
	p.gone++
	p.mu.Unlock()
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal && time.Since(p.begin) < quietTime {
		return
	}
	p.clear()
	line := []rune(p.line(time.Since(p.begin)))
	fmt.Fprint(p.out, string(line[:min(len(line), p.width())]))
	if p.drawn = p.terminal; !p.terminal {
		fmt.Fprintln(p.out)
	}
}

// width returns how many columns the line may have. A line that the terminal
// breaks at its edge could not be removed.
func (p *progress) width() int {
	const usual = 79
	if width := terminal.Columns(p.out); p.terminal && width > 0 {
		return min(usual, width-1)
	}
	return usual
}

// line prints how far the run is. The caller holds mu.
func (p *progress) line(elapsed time.Duration) string {
	if p.status != "" {
		return p.status
	}
	few := p.chunks <= fewChunks*int64(p.workers)
	line := fmt.Sprintf("%v elapsed", elapsed.Round(time.Second))
	if !few {
		line = fmt.Sprintf("%d/%d chunks %3.0f%%", p.earlier+p.done, p.chunks, 100*float64(p.earlier+p.done)/float64(max(p.chunks, 1)))
	}
	select {
	case <-p.ending:
		return line + "  ending: chunks in flight finish; a second signal stops them"
	default:
	}
	if !few && p.done > 0 {
		line += fmt.Sprintf("  %.3g/s", float64(p.done)/max(elapsed.Seconds(), 1e-9))
	}
	if left := p.estimate(elapsed); left >= 0 {
		line += fmt.Sprintf("  ETA %v", left.Round(time.Second))
	}
	if p.gone > 0 {
		line += "  " + text.Plural(int64(p.gone), "worker") + " lost"
	}
	return line
}

// estimate returns how long the run still takes, or a negative time if that is unknown:
// before the first chunk is finished, and after the estimated time has passed. It assumes
// that all chunks take equally long. If there are few, it counts rounds in which each
// worker computes one chunk.
func (p *progress) estimate(elapsed time.Duration) time.Duration {
	if p.done == 0 {
		return -1
	}
	if p.chunks > fewChunks*int64(p.workers) {
		return time.Duration(float64(elapsed) * float64(p.chunks-p.earlier-p.done) / float64(p.done))
	}
	workers := int64(max(p.workers, 1))
	rounds := (p.chunks - p.earlier + workers - 1) / workers
	whole := time.Duration(float64(rounds) * p.busy / float64(p.done) * float64(time.Second))
	return whole - elapsed
}

// clear removes the drawn line. The caller holds mu.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

// mostNotes limits the notes of a run. If there are more, their number is printed
// at the end.
const mostNotes = 20

// note prints a remark on a line of its own, unless there were many.
func (p *progress) note(format string, args ...any) {
	p.say(p.name + ": " + fmt.Sprintf(format, args...))
}

// say prints lines as they are, up to mostNotes times. A note that differs from a recent
// one only in its numbers is counted instead.
func (p *progress) say(lines string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	show, before := p.noted.take(anybody, withoutNumbers(lines))
	switch {
	case !show:
		return
	case p.notes == mostNotes:
		p.unshown++
		return
	}
	p.notes++
	p.clear()
	io.WriteString(p.out, lines+timesBefore(before))
}

// guard returns a writer to w that first clears the progress line.
func (p *progress) guard(w io.Writer) io.Writer { return &guarded{p, w} }

type guarded struct {
	p *progress
	w io.Writer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.p.mu.Lock()
	defer g.p.mu.Unlock()
	g.p.clear()
	return g.w.Write(b)
}
