package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress shows how far a run is: one line that is drawn again and again
// on a terminal, plain lines where --progress always asks for them elsewhere.
type progress struct {
	out      io.Writer
	show     bool
	terminal bool
	ending   <-chan struct{} // is closed when the run was asked to end; nil: nobody can ask
	stop     chan struct{}
	ended    sync.WaitGroup

	mu     sync.Mutex // guards out and what follows
	begin  time.Time
	chunks int64
	done   int64
	gone   int    // workers lost
	text   string // how far it is, where that is not told by chunks
	drawn  bool
	said   int // lines of their own
}

const (
	drawEvery = 200 * time.Millisecond // on a terminal
	lineEvery = 10 * time.Second       // elsewhere
	quietTime = time.Second            // runs shorter than this show nothing on a terminal
)

func progressFlag() flag {
	return text(groupOutput, "progress", "", "auto", "`WHEN` to show progress on stderr: auto (on a terminal), always or never").oneOf("auto", "always", "never")
}

func readProgress(c *call, e *env) (*progress, error) {
	p := &progress{out: e.stderr}
	p.terminal = isTerminal(e.stderr) && os.Getenv("TERM") != "dumb" // which cannot draw a line anew
	switch when := c.String("progress"); when {
	case "auto":
		p.show = p.terminal
	case "always":
		p.show = true
	case "never":
	default:
		return nil, usage("--progress is %q: it must be auto, always or never", when)
	}
	return p, nil
}

func (p *progress) shown() bool { return p.show }

// start begins to show progress over chunks. end must follow.
func (p *progress) start(chunks int64) {
	p.begin, p.chunks = time.Now(), chunks
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

// end takes the line away, or leaves a last one where lines are plain.
func (p *progress) end() {
	defer func() {
		if n := p.said - mostSaid; n > 0 {
			fmt.Fprintf(p.out, "procpool: %d more lines like these are not shown\n", n)
		}
	}()
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

// tell says how far it is.
func (p *progress) tell(text string) {
	p.mu.Lock()
	p.text = text
	p.mu.Unlock()
}

func (p *progress) chunk() {
	p.mu.Lock()
	p.done++
	p.mu.Unlock()
}

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

// width is how many columns the line may have: one that is broken by the
// terminal's edge could not be taken away again.
func (p *progress) width() int {
	const usual = 79
	if width := columns(p.out); p.terminal && width > 0 {
		return min(usual, width-1)
	}
	return usual
}

// line says how far it is.
func (p *progress) line(elapsed time.Duration) string {
	if p.text != "" {
		return p.text
	}
	rate := float64(p.done) / max(elapsed.Seconds(), 1e-9)
	line := fmt.Sprintf("%d/%d chunks %3.0f%%", p.done, p.chunks, 100*float64(p.done)/float64(max(p.chunks, 1)))
	select {
	case <-p.ending:
		return line + "  ending: chunks in hand finish, a second signal cuts off"
	default:
	}
	if p.done > 0 {
		left := time.Duration(float64(p.chunks-p.done) / rate * float64(time.Second))
		line += fmt.Sprintf("  %.3g/s  ETA %v", rate, left.Round(time.Second))
	}
	if p.gone > 0 {
		line += "  " + plural(int64(p.gone), "worker") + " lost"
	}
	return line
}

// clear takes the drawn line away. The caller holds the lock.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

// mostSaid is how many lines a run says on its way; a storm of the same trouble
// is counted instead.
const mostSaid = 20

// say prints a line of its own, unless there were many.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said++; p.said > mostSaid {
		return
	}
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// guard lets others write to the same stream without garbling the line.
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
