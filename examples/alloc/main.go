// Command alloc decodes JSON documents, which makes much garbage, in a program
// that holds an index in memory, which the garbage collector has to look
// through. It does so on goroutines and in worker processes, and prints how
// long each took.
//
//	alloc [-procs N] [-docs N] [-index MIB] [-rounds N]
//
// On goroutines the documents' garbage and the index share a heap. Whenever there
// is as much of the former as of the latter (GOGC=100), all of the index is marked
// again, and new objects are made in memory that no cache has seen for long. A
// worker process has no index: its heap stays at 4 MiB, most of which fits the
// cache, and marking it takes tenths of a millisecond. A larger GOGC makes goroutines as fast, for a
// multiple of the index in memory. README.md has figures, and when goroutines win.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"procpool/pool"
)

func main() {
	pool.Main() // before the index: workers have none
	procs := flag.Int("procs", 0, "workers; 0 = as many as CPUs may be used")
	docs := flag.Int("docs", 8_000, "documents in all")
	mib := flag.Int("index", 64, "size of the index in MiB")
	rounds := flag.Int("rounds", 7, "measurements of each")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *procs, *docs, *mib, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "alloc:", err)
		os.Exit(1)
	}
}

// A contender is a way to do the job.
type contender struct {
	name string
	o    pool.Options
	gogc int // of this process meanwhile
	p    *pool.Pool

	took        []time.Duration
	goal        uint64 // how far this process's heap may grow in the last round, in bytes
	collections uint32 // of this process's heap then
}

func contenders(procs int) []*contender {
	return []*contender{
		{name: "serial", o: pool.Options{Procs: 1, Backend: pool.Serial}, gogc: 100},
		{name: "goroutines", o: pool.Options{Procs: procs, Backend: pool.Goroutines}, gogc: 100},
		{name: "goroutines, GOGC=400", o: pool.Options{Procs: procs, Backend: pool.Goroutines}, gogc: 400},
		{name: "processes", o: pool.Options{Procs: procs}, gogc: 100},
	}
}

// run measures the contenders in turn, round by round, so that a busy machine
// is as unfair to each of them. All pools are up before, as in a program that
// goes on; the first round warms them and does not count.
func run(ctx context.Context, w io.Writer, procs, docs, mib, rounds int) (err error) {
	all := contenders(procs)
	for _, c := range all {
		if c.p, err = pool.New(ctx, c.o); err != nil {
			return err
		}
		defer c.p.Close()
	}
	index := newIndex(mib)
	defer runtime.KeepAlive(index)
	inputs := newDocuments(64)
	for range 1 + max(rounds, 1) {
		for _, c := range all {
			if err := c.measure(ctx, inputs, docs); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return report(w, all)
}

// measure times the job once, from a heap without garbage.
func (c *contender) measure(ctx context.Context, inputs [][]byte, docs int) error {
	defer debug.SetGCPercent(debug.SetGCPercent(c.gogc))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	var all summary
	for s, err := range pool.Map(ctx, c.p, summarise, cycle(inputs, docs)) {
		if err != nil {
			return err
		}
		all = all.plus(s)
	}
	c.took = append(c.took, time.Since(begin))
	runtime.ReadMemStats(&after)
	c.goal, c.collections = before.NextGC, after.NumGC-before.NumGC
	if want := expected(len(inputs), docs); all != want {
		return fmt.Errorf("the documents have %v, not %v", all, want)
	}
	return nil
}

// report prints a line a contender. The ratio is the median of the rounds' own.
func report(w io.Writer, all []*contender) error {
	base := all[1].took[1:]
	for _, c := range all {
		if err := c.p.Close(); err != nil { // Stats are complete after it
			return err
		}
		var workers int64
		for _, s := range c.p.Stats() {
			peak, _ := s.PeakRSSBytes.Get() // 0 where the system does not tell
			workers += peak
		}
		took := c.took[1:]
		ratios := make([]float64, len(took))
		for i := range took {
			ratios[i] = float64(base[i]) / float64(took[i])
		}
		slices.Sort(ratios)
		sorted := slices.Sorted(slices.Values(took))
		last := len(took) - 1
		fmt.Fprintf(w, "%-20s median %6.0f ms, from %6.0f to %6.0f; %.2f times as fast as goroutines, from %.2f to %.2f; heap to %d MiB, collected %d times",
			c.name, ms(sorted[len(took)/2]), ms(sorted[0]), ms(sorted[last]), ratios[len(took)/2], ratios[0], ratios[last], c.goal>>20, c.collections)
		if workers > 0 {
			fmt.Fprintf(w, "; workers of %d MiB in all", workers>>20)
		}
		fmt.Fprintln(w)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
