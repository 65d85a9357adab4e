// Command bench measures procpool's kernels against the same loop in C:
//
//	go run ./testdata/peers/bench [-n TERMS] [-rounds R] [-procpool PATH]
//
// It compiles pi.c with the system's C compiler ($CC or cc), strict, with
// -Ofast and with OpenMP, and runs each peer and its kernel in turn, once a
// round, in an order that rotates, so that a noisy neighbour hits all of them.
// A ratio is the median of the rounds' ratios. Start-up of a peer does not
// count: it times its own loop. With -procpool, whole commands are compared as
// well, by the wall clock, start-up included.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"procpool/internal/kernel"
	"procpool/ipc"
)

// A contender computes n terms and says how many seconds that took.
type contender struct {
	name string
	run  func(n int64) (float64, error)
}

// A duel is won when the median of ours/peer is at most goal.
type duel struct {
	ours, peer contender
	goal       float64
}

func main() {
	n := flag.Int64("n", 300_000_000, "terms a run")
	rounds := flag.Int("rounds", 9, "runs of each contender")
	command := flag.String("procpool", "", "also compare this procpool's run command with the OpenMP program")
	flag.Parse()
	if err := fight(*n, *rounds, *command); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func fight(n int64, rounds int, command string) error {
	if n < 1 || rounds < 1 {
		return fmt.Errorf("-n %d -rounds %d: both must be at least 1", n, rounds)
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	duels, err := build(dir, command)
	if err != nil {
		return err
	}
	seconds := make([][2][]float64, len(duels))
	for round := range rounds {
		for k := range 2 * len(duels) {
			i, side := (k/2+round)%len(duels), (k+round)%2
			c := []contender{duels[i].ours, duels[i].peer}[side]
			s, err := c.run(n)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			seconds[i][side] = append(seconds[i][side], s)
		}
	}
	fmt.Printf("%d terms, %d rounds, %d CPUs, kernel %s; ns a term: median [least .. most]\n", n, rounds, runtime.NumCPU(), kernel.Path())
	for i, d := range duels {
		d.report(n, seconds[i][0], seconds[i][1])
	}
	return nil
}

// build compiles the peers into dir and pairs them with what they measure.
func build(dir, command string) ([]duel, error) {
	var peers []contender
	for _, p := range []struct{ name, flags string }{
		{"C -O3 -march=native", "-O3 -march=native"},
		{"C -Ofast -march=native", "-Ofast -march=native"},
		{"C -Ofast -march=native -fopenmp", "-Ofast -march=native -fopenmp"},
	} {
		binary := filepath.Join(dir, strconv.Itoa(len(peers)))
		args := append(strings.Fields(p.flags), "-o", binary, "testdata/peers/pi.c")
		cc := exec.Command(cmp.Or(os.Getenv("CC"), "cc"), args...)
		cc.Stderr = os.Stderr
		if err := cc.Run(); err != nil {
			return nil, fmt.Errorf("%v: %w (run this from the root of the module)", cc, err)
		}
		peers = append(peers, contender{p.name, func(n int64) (float64, error) { return peer(binary, n) }})
	}
	duels := []duel{
		{contender{"pi", timed(func(n int64) { kernel.Pi(0, 0, n) })}, peers[0], 1.05},
		{contender{"pi-fast", timed(func(n int64) { kernel.PiFast(0, n) })}, peers[1], 0.20},
		{contender{"pi-fast, goroutines", timed(piFastEverywhere)}, peers[2], 0.25},
	}
	if command != "" {
		openmp := filepath.Join(dir, "2")
		duels = append(duels, duel{
			contender{"procpool run -t pi-fast", func(n int64) (float64, error) { return whole(command, "run", "-t", "pi-fast", fmt.Sprint(n)) }},
			contender{"the OpenMP program", func(n int64) (float64, error) { return whole(openmp, fmt.Sprint(n)) }}, 0.25})
	}
	return duels, nil
}

// peer runs pi.c and reads the seconds that it prints.
func peer(binary string, n int64) (float64, error) {
	out, err := exec.Command(binary, fmt.Sprint(n)).Output()
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return 0, fmt.Errorf("prints %q", out)
	}
	return strconv.ParseFloat(fields[1], 64)
}

func timed(f func(n int64)) func(n int64) (float64, error) {
	return func(n int64) (float64, error) {
		start := time.Now()
		f(n)
		return time.Since(start).Seconds(), nil
	}
}

func whole(command string, args ...string) (float64, error) {
	start := time.Now()
	out, err := exec.Command(command, args...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return time.Since(start).Seconds(), nil
}

// piFastEverywhere is pi-fast with one goroutine a CPU.
func piFastEverywhere(n int64) {
	parts := ipc.SplitGrid(ipc.Interval{End: n}, runtime.GOMAXPROCS(0), kernel.PiGrain)
	var sum kernel.Accumulator
	var mu sync.Mutex
	var wg sync.WaitGroup
	for iv := range parts.All() {
		wg.Go(func() {
			part := kernel.PiFast(iv.Start, iv.End)
			mu.Lock()
			defer mu.Unlock()
			sum.Merge(part)
		})
	}
	wg.Wait()
}

func (d duel) report(n int64, ours, peers []float64) {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / peers[i]
	}
	verdict := "met"
	if median(ratios) > d.goal {
		verdict = "not met"
	}
	for _, side := range []struct {
		name    string
		seconds []float64
	}{{d.ours.name, ours}, {d.peer.name, peers}} {
		ns := func(s float64) float64 { return s / float64(n) * 1e9 }
		fmt.Printf("  %-32s %.4f [%.4f .. %.4f]\n", side.name,
			ns(median(side.seconds)), ns(slices.Min(side.seconds)), ns(slices.Max(side.seconds)))
	}
	fmt.Printf("    ratio %.3f [%.3f .. %.3f], goal %.2f: %s\n",
		median(ratios), slices.Min(ratios), slices.Max(ratios), d.goal, verdict)
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	m := len(s) / 2
	if len(s)%2 == 0 {
		return (s[m-1] + s[m]) / 2
	}
	return s[m]
}
