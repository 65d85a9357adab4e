package pool

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"procpool/ipc"
)

// The steps by which a launched worker is ended. A launcher that is killed
// outright may leave its worker running where nobody sees it: srun and its
// shepherd killed as a group leave a step that gets no end of input and holds its
// allocation. So the worker is asked first, by the end of its input, which ends one
// at once; then the launcher is, which passes the wish on; and only if it does
// nothing for longer than Slurm's KillWait (30 s) is it killed, alone.
const (
	inputDelay     = 2 * time.Second  // from the end of input to SIGTERM
	terminateDelay = 40 * time.Second // from SIGTERM to SIGKILL
)

// maxStarting is how many launched workers may be on the way to their hello at
// once. sshd refuses more than 10 beginners (MaxStartups), and a Slurm controller
// that gets a thousand steps at once serves nobody else.
const maxStarting = 8

// launchPause is firstPause of a launched worker: what refused it is further away.
const launchPause = 250 * time.Millisecond

// farSeconds is handSeconds of a worker behind a launcher: longer than a way
// there and back. Slurm before 24.05 delays each message over 1,024 bytes by 44 ms in each
// direction when nothing follows it.
const farSeconds = 0.200

// A launched is a launcher's process, which carries a worker's streams. The
// worker may be that process itself (nice, taskset), its child, or far away.
type launched struct {
	*osProcess
	input, terminate time.Duration // inputDelay and terminateDelay, but for tests
	itself           atomic.Bool   // the launcher has become the worker
	ending           sync.Once
	closed           chan struct{} // of the pool: closed when no life is left in it
	gone             chan struct{} // closed when it has been waited for
	over             chan struct{} // closed when nothing more can be done to end it
}

func newLaunched(p *osProcess) *launched {
	return &launched{osProcess: p, input: inputDelay, terminate: terminateDelay, gone: make(chan struct{}), over: make(chan struct{})}
}

// startLauncher starts a command line in a process group of its own, so that
// Ctrl-C at a terminal reaches this program alone, which ends its workers in order.
func startLauncher(words []string, attr *os.ProcAttr) (*os.Process, error) {
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, err
	}
	attr.Sys = launcherAttr()
	return os.StartProcess(path, words, attr)
}

// Kill begins to end the worker and returns at once.
func (p *launched) Kill() { p.ending.Do(func() { go p.end() }) }

func (p *launched) end() {
	defer close(p.over)
	if p.itself.Load() { // nobody is behind it
		p.proc.Kill()
	} else {
		p.stdin.Close()
		if p.goneWithin(p.input) {
			return
		}
		if p.proc.Signal(syscall.SIGTERM) == nil && p.terminated() {
			return
		}
		p.proc.Kill()
	}
	p.goneWithin(reapDelay)
}

// terminated waits for the effect of SIGTERM, with less patience when nothing else
// is left to wait for: srun holds on to a dead node for half a minute, and its
// user waits for the result.
func (p *launched) terminated() bool {
	select {
	case <-p.gone:
		return true
	case <-time.After(p.terminate):
		return false
	case <-p.closed:
		return p.goneWithin(reapDelay)
	}
}

func (p *launched) goneWithin(d time.Duration) bool {
	select {
	case <-p.gone:
		return true
	case <-time.After(d):
		return false
	}
}

func (p *launched) Wait() exit {
	e := p.osProcess.Wait()
	close(p.gone)
	return e
}

// linger returns when the launcher is gone, or when it would not go.
func (p *launched) linger() {
	select {
	case <-p.gone:
	case <-p.over:
	}
}

// launch makes proc, if it is a launcher, one that the pool waits for beyond
// the life that it was started for.
func (l *life) launch(proc process) {
	if p, ok := proc.(*launched); ok {
		l.launched, p.closed = p, l.pool.gone
		l.pool.workers.Go(p.linger)
	}
}

// arrived notes who answers through the launcher.
func (l *life) arrived(h ipc.Hello) error {
	p := l.launched
	if p == nil {
		return nil
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.killed != nil {
		l.killed = errHeldBack
		return errHeldBack
	}
	host, _ := os.Hostname()
	if h.Host != host {
		l.host = h.Host
	}
	p.itself.Store(h.Host == host && h.PID == int64(p.Pid()))
	l.pid = int(h.PID)
	l.slot.stats.PID = l.pid
	l.slot.far = !p.itself.Load()
	return nil
}

// errHeldBack is why a worker was given up whose hello came when its input was closed.
var errHeldBack = errors.New("its hello came only when its input was closed: the launcher holds output back")
