package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/parent"
	"procpool/pool"
	"procpool/task"
)

// echo returns its input, to measure a round trip. It takes no intervals, so the command
// run does not offer it.
var echo = task.Define("doctor echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })

// A probe holds the measurements of one worker started through a launcher.
type probe struct {
	options pool.Options
	started float64 // seconds to the hello
	stats   pool.WorkerStats
	trip    time.Duration // there and back, the median
	rate    float64       // empty chunks a second
	bytes   float64       // a second, in each direction
}

const (
	probesAtOnce = 8                      // hosts
	probeTrips   = 41                     // round trips, one after the other
	probeTime    = 500 * time.Millisecond // of each throughput
	probeBlock   = 64 << 10               // bytes of an input
)

// probeHosts starts a worker on each host, a few at once. It returns a line for each host,
// the hosts that work, and the error of the first host that does not.
func probeHosts(ctx context.Context, o pool.Options, hosts []string) (lines []string, works []string, err error) {
	probes, errs := make([]*probe, len(hosts)), make([]error, len(hosts))
	var all sync.WaitGroup
	turn := make(chan struct{}, probesAtOnce)
	for i, host := range hosts {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			o := o
			o.Hosts = []string{host}
			probes[i], errs[i] = probeLauncher(ctx, o, false)
		})
	}
	all.Wait()
	for i, host := range hosts {
		if errs[i] != nil {
			lines = append(lines, fmt.Sprintf("%s does not work: %s", host, text.OneLine(errs[i].Error())))
			err = cmp.Or(err, errs[i])
			continue
		}
		works = append(works, host)
		lines = append(lines, fmt.Sprintf("%s works: worker on %s, CPUs %s, start-up %.1f ms", host, probes[i].stats.Host, orDash(probes[i].stats.CPUs), probes[i].started*1e3))
	}
	return lines, works, err
}

// probeLauncher starts one worker, and measures it if measure is set.
func probeLauncher(ctx context.Context, o pool.Options, measure bool) (*probe, error) {
	p := &probe{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	var failed error
	o.Procs, o.Retries, o.Stderr = 1, -1, io.Discard
	o.OnEvent = func(ev pool.Event) {
		switch ev.Kind {
		case pool.WorkerStarted:
			p.started = ev.Seconds
		case pool.WorkerLost: // the first reason is the best; no second try
			once.Do(func() { failed = ev.Err; cancel() })
		}
	}
	workers, err := pool.New(ctx, o)
	if err != nil {
		return nil, err
	}
	if measure {
		err = p.measure(ctx, workers)
	} else {
		err = workers.Ready(ctx)
	}
	workers.Close()
	p.options, p.stats = o, workers.Stats()[0]
	if failed != nil {
		err = failed
	}
	return p, err
}

func (p *probe) measure(ctx context.Context, workers *pool.Pool) error {
	var trips []time.Duration
	for range probeTrips {
		begin := time.Now()
		if err := drain(pool.Map(ctx, workers, echo, slices.Values([][]byte{nil}))); err != nil {
			return err
		}
		trips = append(trips, time.Since(begin))
	}
	slices.Sort(trips)
	p.trip = trips[len(trips)/2]

	null, err := findTask(compare.Null)
	if err != nil {
		return err
	}
	whole := ipc.Interval{End: 1 << 40}
	stop := make(chan struct{}) // not a deadline, which kills the worker
	time.AfterFunc(probeTime, func() { close(stop) })
	o, err := workers.Run(ctx, pool.Workload{Task: null, Whole: whole, Grid: ipc.ChunkGrid(whole, 1), Stop: stop})
	if !errors.Is(err, pool.ErrStopped) {
		return err
	}
	p.rate = float64(o.Chunks) / o.Wall.Seconds()

	for _, blocks := range []int{16, 0} { // a few, to know how many take a while
		if blocks == 0 {
			blocks = max(16, int(p.bytes*probeTime.Seconds()/probeBlock))
		}
		begin := time.Now()
		if err := drain(pool.Map(ctx, workers, echo, slices.Values(slices.Repeat([][]byte{make([]byte, probeBlock)}, blocks)))); err != nil {
			return err
		}
		p.bytes = float64(blocks*probeBlock) / time.Since(begin).Seconds()
	}
	return nil
}

// drain reads a map's outputs up to the first error.
func drain[T any](outputs iter.Seq2[T, error]) error {
	for _, err := range outputs {
		if err != nil {
			return err
		}
	}
	return nil
}

// lines returns the measurements as doctor prints them.
func (p *probe) lines() []string {
	return []string{
		"works: " + p.options.Launcher,
		fmt.Sprintf("worker on %s, CPUs %s, the same build: %s", p.stats.Host, orDash(p.stats.CPUs), ipc.Build()),
		fmt.Sprintf("start-up %.1f ms, round trip %.3f ms (median of %d)", p.started*1e3, p.trip.Seconds()*1e3, probeTrips),
		fmt.Sprintf("%.0f empty chunks/s, %.1f MB/s each way in messages of %d KiB", p.rate, p.bytes/1e6, probeBlock>>10),
	}
}

const terminalHint = "a terminal on the way changes bytes: leave out what asks for one (ssh -t, srun --pty, docker -t)"

// launcherHint returns what to do about a launcher that failed with err, or "".
func launcherHint(err error) string {
	var fault *ipc.Fault
	if errors.As(err, &fault) {
		switch first := bytes.TrimLeft(fault.First, " 0123456789"); {
		case bytes.HasPrefix(fault.First, []byte("\r")):
			return terminalHint
		case bytes.HasPrefix(first, []byte(": \x81")):
			return "the launcher labels lines: leave out srun --label"
		}
		return "something on the way changes bytes, or another process writes to the same stream"
	}
	var lost *pool.LostWorkerError
	var silence *pool.SilenceError
	var build *parent.BuildError
	switch {
	case errors.Is(err, parent.ErrTerminal):
		return terminalHint
	case errors.As(err, &silence) && silence.Starting:
		return "it may wait for a free place (srun without --exact or --immediate), for a password (ssh without BatchMode), or hold output back; --startup-timeout D gives it more time"
	case errors.As(err, &build):
		return "copy this program to where workers run; with {args} in place of {argv} you can name its path there"
	case errors.As(err, &lost) && strings.Contains(strings.Join(lost.Stderr, " "), "Permission denied ("):
		return "ssh was refused, because no key of this user opens that account: try ssh -oBatchMode=yes HOST true"
	case errors.As(err, &lost) && strings.Contains(strings.Join(lost.Stderr, " "), "Host key verification failed"):
		return "ssh does not know that host's key: check and add it (ssh-keyscan HOST >>~/.ssh/known_hosts), or put -oStrictHostKeyChecking=accept-new into the launcher"
	case errors.As(err, &lost) && (lost.ExitCode == 127 || strings.Contains(strings.Join(lost.Stderr, " "), "No such file")):
		return "put the program at the same path where workers run; with {args} in place of {argv} you can name another path"
	case errors.As(err, &lost) && lost.ExitCode == 255 && lost.Launcher != "": // ssh exits so for every error of its own
		return "--outage D waits for hosts that are away when a run begins; 'doctor' with the same --launcher and --hosts tries each"
	}
	return ""
}
