package parent

import (
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"procpool/placement"
)

// SpawnerConfig configures a [Spawner]. The zero value is valid.
type SpawnerConfig struct {
	System   System             // the zero System means [OS]
	Env      []string           // the whole environment of each process
	Dir      string             // their working directory; "" = this process's
	Bind     []placement.CPUSet // worker i is bound to Bind[i%len(Bind)]; an empty set binds nothing
	Program  []string           // command line of workers of another program; nil = this program
	Launcher *Launcher          // starts the workers, also those of another program; nil = none
	EndsOwn  bool               // if this process is killed, workers first end what their tasks started, see pool.Options.EndsOwn
	Stop     <-chan struct{}    // closed when no more processes are to be started; nil = never
}

// A Spawner starts worker processes, one at a time, on one OS thread. On Linux the kernel
// kills a worker when the thread that started it ends, and a worker inherits that thread's
// CPU mask.
type Spawner struct {
	system   System
	env      []string
	dir      string
	bind     []placement.CPUSet
	program  []string
	launcher *Launcher
	endsOwn  bool
	stop     <-chan struct{}
	requests chan spawnRequest
	starting chan struct{}  // holds a token for each launched worker that has not said hello; nil without a launcher
	closed   chan struct{}  // closed by Close
	owned    sync.WaitGroup // the thread, and launchers that are being ended
}

type spawnRequest struct {
	worker int
	answer chan spawned
}

type spawned struct {
	proc OSProcess
	err  error
}

// NewSpawner makes a Spawner. Close must be called when it is no longer needed,
// after all of its processes have ended.
func NewSpawner(c SpawnerConfig) *Spawner {
	s := &Spawner{
		system: c.System, env: c.Env, dir: c.Dir, bind: c.Bind, program: c.Program, launcher: c.Launcher, endsOwn: c.EndsOwn, stop: c.Stop,
		requests: make(chan spawnRequest), closed: make(chan struct{}),
	}
	if s.system.Start == nil {
		s.system = OS()
	}
	if s.launcher != nil {
		s.env, s.starting = launcherEnv(s.env), make(chan struct{}, maxStarting)
	}
	s.owned.Go(s.run)
	return s
}

// Close ends the spawner's thread, and waits for it and for launchers that are still being
// ended. Every Run must have returned.
func (s *Spawner) Close() {
	close(s.closed)
	s.owned.Wait()
}

// run starts the requested processes. At the end it unlocks its thread, which the Go
// runtime keeps: if the thread ended, the kernel would signal what it started.
func (s *Spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case r := <-s.requests:
			proc, err := s.system.Start(s.command(r.worker))
			r.answer <- spawned{proc, err}
		case <-s.closed:
			return
		}
	}
}

func (s *Spawner) command(worker int) Command {
	c := Command{Worker: worker, Env: s.env, Dir: s.dir, Program: s.program, EndsOwn: s.endsOwn}
	if s.program != nil {
		c.Env = append(slices.Clone(s.env), workerEnv+"="+strconv.Itoa(worker))
	}
	if s.launcher != nil {
		c.Words = s.launcher.words(worker)
	} else if len(s.bind) > 0 {
		c.CPUs = s.bind[worker%len(s.bind)]
	}
	return c
}

// Start starts a process for worker c.Worker. The caller must call its [Process.Run].
// With a launcher, Start waits while maxStarting workers have not said hello.
func (s *Spawner) Start(c Config, h Handler) (_ *Process, err error) {
	born := time.Now()
	if s.starting != nil {
		select {
		case s.starting <- struct{}{}:
		case <-s.stop:
			return nil, errStopped
		}
		defer func() {
			if err != nil {
				s.started()
			}
		}()
	}
	r := spawnRequest{c.Worker, make(chan spawned, 1)}
	select {
	case s.requests <- r:
	case <-s.stop:
		return nil, errStopped
	}
	a := <-r.answer
	if a.err != nil {
		return nil, a.err
	}
	return newProcess(s, c, h, a.proc, born), nil
}

// started is called when a worker has said hello, or has ended without one.
func (s *Spawner) started() {
	if s.starting != nil {
		<-s.starting
	}
}

// adopt makes Close wait for a launcher whose Run has returned before it was gone.
func (s *Spawner) adopt(l *launchedProcess) {
	l.closed = s.closed
	s.owned.Go(l.linger)
}
