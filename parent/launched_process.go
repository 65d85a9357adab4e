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

// A launched worker is ended in three steps. First its input is closed, which ends a
// worker at once. Then the launcher gets SIGTERM, which srun and ssh pass on. Only if it
// still runs after more than Slurm's KillWait (30 s) is it killed, alone. If it were
// killed first, its worker might go on running elsewhere: srun killed with its helper
// process leaves a step that sees no end of input and holds its allocation.
const (
	inputDelay     = 2 * time.Second  // from the end of input to SIGTERM
	terminateDelay = 40 * time.Second // from SIGTERM to SIGKILL
)

// maxStarting is how many launched workers may be starting at once. sshd refuses more
// than 10 connections that have not logged in (MaxStartups), and a Slurm controller that
// gets a thousand steps at once serves nobody else.
const maxStarting = 8

// A launchedProcess is the process of a launcher, which carries a worker's streams. The
// worker may be that process itself (nice, taskset), its child, or on another machine.
type launchedProcess struct {
	*osProcess
	input, terminate time.Duration // inputDelay and terminateDelay; shorter in tests
	itself           atomic.Bool   // the launcher has become the worker
	ending           sync.Once
	closed           <-chan struct{} // closed when the spawner is closed: all other processes have ended
	gone             chan struct{}   // closed when Wait has reaped it
	over             chan struct{}   // closed when end has done all that it can
}

func newLaunchedProcess(p *osProcess) *launchedProcess {
	return &launchedProcess{osProcess: p, input: inputDelay, terminate: terminateDelay, gone: make(chan struct{}), over: make(chan struct{})}
}

// startLauncher starts a launcher in a session of its own, so that Ctrl-C at a terminal
// reaches this program alone, which then ends its workers in order.
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
	if p.itself.Load() { // the worker is this process: kill it at once
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

// terminated waits until the launcher has ended after SIGTERM. Once the spawner is closed
// it waits only for reapDelay more: srun waits half a minute for a dead node, and the user
// is waiting for the result.
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

// linger waits until the launcher is gone, or nothing more can be done to end it.
func (p *launchedProcess) linger() {
	select {
	case <-p.gone:
	case <-p.over:
	}
}
