package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"procpool/internal/kernel"
	"procpool/ipc"
)

// kernels compares the numeric kernels, in this process, with the same loop in
// C, which times itself; and the whole command with the whole OpenMP program.
func kernels(b *bench) ([]row, error) {
	if b.fork == "" {
		return nil, nil // there is a note already
	}
	terms := int64(b.rounds(300_000_000, 50_000_000))
	n := strconv.FormatInt(terms, 10)
	var peers []*contender
	for i, flags := range piFlags {
		peers = append(peers, selfTimed("C "+strings.Join(flags, " "), terms, b.pi[i], n))
	}
	rows := []row{
		{what: "kernel pi (" + kernel.Path() + ")", ours: inProcess(terms, func() { kernel.Pi(0, 0, terms) }), peer: peers[0], unit: "ns a term", goal: goal{most: 1.05}},
		{what: "kernel pi-fast", ours: inProcess(terms, func() { kernel.PiFast(0, terms) }), peer: peers[1], unit: "ns a term", goal: goal{most: 0.20}},
		{what: "kernel pi-fast on every CPU", ours: inProcess(terms, func() { piFastEverywhere(terms) }), peer: peers[2], unit: "ns a term", goal: goal{most: 0.25}},
	}
	var all []*contender
	for _, r := range rows {
		all = append(all, r.ours, r.peer)
	}
	if err := b.measure(b.rounds(9, 3), all...); err != nil {
		return nil, err
	}
	n = strconv.Itoa(b.rounds(10_000_000_000, 50_000_000))
	whole := row{what: "whole command, pi-fast over " + n + " terms", ours: timed("procpool", 1, b.procpool, "run", "-t", "pi-fast", n),
		peer: timed("the OpenMP program", 1, b.pi[2], n), unit: "ms", goal: goal{most: 0.25}}
	return append(rows, whole), b.measure(b.rounds(9, 3), whole.ours, whole.peer)
}

// inProcess is f in nanoseconds a term.
func inProcess(terms int64, f func()) *contender {
	return &contender{name: "procpool", run: func() (float64, error) {
		begin := time.Now()
		f()
		return time.Since(begin).Seconds() / float64(terms) * 1e9, nil
	}}
}

// selfTimed is pi.c, which prints its sum and the seconds that its loop took.
func selfTimed(name string, terms int64, command ...string) *contender {
	return &contender{name: name, command: command, run: func() (float64, error) {
		out, err := output(command...)
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(out))
		if len(fields) != 2 {
			return 0, fmt.Errorf("prints %q", out)
		}
		seconds, err := strconv.ParseFloat(fields[1], 64)
		return seconds / float64(terms) * 1e9, err
	}}
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
