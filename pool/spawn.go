package pool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A spawner starts a pool's processes, one after the other, on one thread.
// The thread matters on Linux: the kernel ends a child when the thread that
// started it ends, and a child inherits that thread's CPU mask.
type spawner struct {
	pool     *Pool
	requests chan spawnRequest
	env      []string
	starting chan struct{} // holds one for each launched worker that has not said hello; nil without a launcher
}

type spawnRequest struct {
	worker int
	answer chan spawned
}

type spawned struct {
	proc process
	err  error
}

func newSpawner(p *Pool) *spawner {
	s := &spawner{pool: p, requests: make(chan spawnRequest), env: childEnv(os.Environ(), p.opts)}
	if p.launch != nil {
		s.env, s.starting = launcherEnv(s.env), make(chan struct{}, maxStarting)
	}
	p.workers.Go(s.run)
	return s
}

// run serves until the pool is closed. The thread goes back to Go's runtime
// then, which keeps it.
func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case r := <-s.requests:
			c := command{worker: r.worker, env: s.env}
			if l := s.pool.launch; l != nil {
				c.words = l.words(r.worker)
			} else {
				c.cpus = s.pool.opts.bound(r.worker)
			}
			proc, err := s.pool.sys.start(c)
			r.answer <- spawned{proc, err}
		case <-s.pool.stop:
			return
		}
	}
}

// start has a process started for worker i. Launched ones wait until few
// others are on their way; started must follow, unless there is an error.
func (s *spawner) start(i int) (proc process, err error) {
	if s.starting != nil {
		select {
		case s.starting <- struct{}{}:
		case <-s.pool.stop:
			return nil, ErrClosed
		}
		defer func() {
			if err != nil {
				s.started()
			}
		}()
	}
	r := spawnRequest{i, make(chan spawned, 1)}
	select {
	case s.requests <- r:
		a := <-r.answer
		return a.proc, a.err
	case <-s.pool.stop:
		return nil, ErrClosed
	}
}

// started is called when a worker has said hello, or never will.
func (s *spawner) started() {
	if s.starting != nil {
		<-s.starting
	}
}

// childEnv is the environment of workers: this process's, what the options
// add, and GOMAXPROCS and GOMEMLIMIT, which inherited would give every worker
// all the CPUs and all the memory.
func childEnv(environ []string, o Options) []string {
	environ = append(slices.Clone(environ), "GOMAXPROCS="+strconv.Itoa(o.GOMAXPROCS))
	if limit := memoryLimit(o); limit != "" {
		environ = append(environ, limit)
	}
	environ = append(environ, o.Env...)
	environ = append(environ, depthEnv+"="+strconv.Itoa(depth()+1))
	last := make(map[string]int, len(environ))
	for i, kv := range environ {
		key, _, _ := strings.Cut(kv, "=")
		last[key] = i
	}
	out := environ[:0]
	for i, kv := range environ {
		if key, _, _ := strings.Cut(kv, "="); last[key] == i {
			out = append(out, kv)
		}
	}
	return out
}

// childArg is child.Arg, which this package must not import.
const childArg = "procpool-child"

// An osProcess is a real one.
type osProcess struct {
	proc           *os.Process
	stdin          *os.File
	stdout, stderr *os.File
}

func osSystem() system {
	return system{start: startProcess, residentSet: residentSet, oomKills: oomKills}
}

// startProcess starts this program again, as a worker.
func startProcess(c command) (_ process, err error) {
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
		return nil, fmt.Errorf("a worker's pipes cannot be made: %w", err)
	}
	attr := &os.ProcAttr{Env: c.env, Files: theirs, Sys: procAttr()}
	if c.words != nil {
		if p.proc, err = startLauncher(c.words, attr); err != nil {
			return nil, fmt.Errorf("the launcher %s cannot be started: %w", c.words[0], withoutPath(err))
		}
		return newLaunched(p), nil
	}
	p.proc, err = startBound(c, attr)
	if err != nil {
		return nil, fmt.Errorf("a worker process cannot be started: %w", withoutPath(err))
	}
	return p, nil
}

// pipes gives p its ends of the worker's standard streams, and returns the
// worker's, in order. With an error there are those that could be made.
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

// argv is a worker's command line.
func argv(c command) []string {
	return []string{os.Args[0], childArg, strconv.Itoa(c.worker)}
}

// withoutPath drops "fork/exec /proc/self/exe", which helps nobody.
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
func (p *osProcess) Kill()                 { p.proc.Kill() }

func (p *osProcess) Wait() exit {
	awaitExit(p.proc)
	state, err := p.proc.Wait()
	if err != nil {
		return exit{code: -1}
	}
	return exit{code: state.ExitCode(), signal: signalOf(state), user: state.UserTime(), system: state.SystemTime()}
}
