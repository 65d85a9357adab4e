package parent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"procpool/internal/proctree"
	"procpool/placement"
)

// childArg is child.Arg, which this package must not import.
const childArg = "procpool-child"

// An osProcess is an OSProcess of the real operating system.
type osProcess struct {
	proc           *os.Process
	stdin          *os.File
	stdout, stderr *os.File
	killing        sync.Once
}

// OS returns the real operating system.
func OS() System {
	return System{Start: startProcess, ResidentSet: residentSet, OOMKills: oomKills, CheckThreads: placement.System{}.CheckThreads}
}

// startProcess starts a worker: this program again, or another one.
func startProcess(c Command) (_ OSProcess, err error) {
	p := &osProcess{}
	theirs, err := p.pipes()
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			p.close()
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("create pipes for a worker: %w", err)
	}
	beforeFirstStart()
	attr := &os.ProcAttr{Dir: c.Dir, Env: c.Env, Files: theirs, Sys: procAttr(c)}
	if c.Words != nil {
		if p.proc, err = startLauncher(c.Words, attr); err != nil {
			return nil, fmt.Errorf("start the launcher %s: %w", c.Words[0], withoutPath(err))
		}
		return newLaunchedProcess(p), nil
	}
	path, words, err := c.program()
	if err == nil {
		p.proc, err = startBound(path, words, c.CPUs, attr)
	}
	if err != nil {
		return nil, fmt.Errorf("start a worker process: %w", withoutPath(err))
	}
	return p, nil
}

// pipes creates the pipes of the worker's standard streams. It stores the parent's ends
// in p and returns the worker's: stdin, stdout, stderr. With an error it returns those
// that were created.
func (p *osProcess) pipes() (theirs []*os.File, err error) {
	for _, ours := range []**os.File{&p.stdin, &p.stdout, &p.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		if ours == &p.stdin {
			r, w = w, r
		}
		*ours, theirs = r, append(theirs, w)
	}
	return theirs, nil
}

// program returns the file and the command line of a worker.
func (c *Command) program() (path string, words []string, err error) {
	if c.Program == nil {
		path, err = self()
		return path, []string{os.Args[0], childArg, strconv.Itoa(c.Worker)}, err
	}
	path, err = FindProgram(c.Program[0], c.Dir)
	return path, c.Program, err
}

// withoutPath removes "fork/exec /proc/self/exe" from an error: the path tells a user
// nothing.
func withoutPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (p *osProcess) close() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		if f != nil {
			f.Close()
		}
	}
}

func (p *osProcess) Pid() int              { return p.proc.Pid }
func (p *osProcess) Stdin() io.WriteCloser { return p.stdin }
func (p *osProcess) Stdout() io.ReadCloser { return p.stdout }
func (p *osProcess) Stderr() io.ReadCloser { return p.stderr }

// Kill kills the process and everything that it started. It does not wait for that.
func (p *osProcess) Kill() { p.killing.Do(func() { go proctree.Kill(p.proc) }) }

func (p *osProcess) Wait() ExitStatus {
	awaitExit(p.proc)
	state, err := p.proc.Wait()
	if err != nil {
		return ExitStatus{Code: -1}
	}
	return ExitStatus{Code: state.ExitCode(), Signal: signalOf(state), User: state.UserTime(), System: state.SystemTime()}
}
