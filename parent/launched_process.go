package parent

import (
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"procpool/internal/proctree"
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

// A launchedProcess is a launcher's process, which carries a worker's streams.
// The worker may be that process itself (nice, taskset), its child, or far away.
type launchedProcess struct {
	*osProcess
	input, terminate time.Duration // inputDelay and terminateDelay, but for tests
	itself           atomic.Bool   // the launcher has become the worker
	ending           sync.Once
	closed           <-chan struct{} // closed when no talk is left to be waited for
	gone             chan struct{}   // closed when it has been waited for
	over             chan struct{}   // closed when nothing more can be done to end it
}

func newLaunchedProcess(p *osProcess) *launchedProcess {
	return &launchedProcess{osProcess: p, input: inputDelay, terminate: terminateDelay, gone: make(chan struct{}), over: make(chan struct{})}
}

// startLauncher starts a command line in a session of its own, so that
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
func (p *launchedProcess) Kill() { p.ending.Do(func() { go p.end() }) }

func (p *launchedProcess) end() {
	defer close(p.over)
	if p.itself.Load() { // nobody is behind it
		proctree.Kill(p.proc)
	} else {
		p.stdin.Close()
		if p.goneWithin(p.input) {
			return
		}
		if p.proc.Signal(syscall.SIGTERM) == nil && p.terminated() {
			return
		}
		proctree.Kill(p.proc)
	}
	p.goneWithin(reapDelay)
}

// terminated waits for the effect of SIGTERM, with less patience when nothing else
// is left to wait for: srun holds on to a dead node for half a minute, and its
// user waits for the result.
func (p *launchedProcess) terminated() bool {
	select {
	case <-p.gone:
		return true
	case <-time.After(p.terminate):
		return false
	case <-p.closed:
		return p.goneWithin(reapDelay)
	}
}

func (p *launchedProcess) goneWithin(d time.Duration) bool {
	select {
	case <-p.gone:
		return true
	case <-time.After(d):
		return false
	}
}

func (p *launchedProcess) Wait() ExitStatus {
	e := p.osProcess.Wait()
	close(p.gone)
	return e
}

// linger returns when the launcher is gone, or when it would not go.
func (p *launchedProcess) linger() {
	select {
	case <-p.gone:
	case <-p.over:
	}
}
