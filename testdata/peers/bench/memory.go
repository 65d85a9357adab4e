package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// memory measures peak resident sets: of a child, and of a parent with very
// many chunks. Linux only, as the kernel's own account of them is.
func memory(b *bench) ([]row, error) {
	bare := &contender{name: "bare Go", command: []string{b.bare, "status"}}
	bare.run = func() (float64, error) {
		status, err := output(bare.command...)
		return highWater(status), err
	}
	if v, err := bare.run(); err != nil || v == 0 {
		b.notes = append(b.notes, "memory: this system does not tell peak resident sets")
		return nil, err
	}
	ours := childMemory("procpool", b.procpool)
	peers := []row{{peer: bare, goal: goal{most: 2}}}
	if b.before != "" {
		peers = append(peers, row{peer: childMemory("procpool before", b.before)})
	}
	rows, err := b.against("peak resident set of a child", ours, "MiB", b.rounds(11, 5), peers)
	if err != nil {
		return nil, err
	}
	many, few := b.rounds(10_000_000, 2_000_000), b.rounds(1_000_000, 200_000)
	large, small := parentMemory(b.procpool, many), parentMemory(b.procpool, few)
	what := fmt.Sprintf("peak resident set of the parent, %d chunks", many)
	rows = append(rows, row{what: what, ours: large, unit: "MiB", goal: goal{most: 32}},
		row{what: "the same", ours: large, peer: small, unit: "MiB", goal: goal{most: 1.2}})
	return rows, b.measure(b.rounds(3, 1), large, small)
}

// childMemory is what a worker says of itself, in MiB.
func childMemory(name, procpool string) *contender {
	command := []string{procpool, "run", "--procs", "1", "--task", "null", "1"}
	return &contender{name: name, command: append(command, "--json"), run: func() (float64, error) {
		r, err := reported(command...)
		if err != nil {
			return 0, err
		}
		if len(r.Workers) != 1 {
			return 0, fmt.Errorf("reports %d workers", len(r.Workers))
		}
		return r.Workers[0].PeakRSSBytes / (1 << 20), nil
	}}
}

// parentMemory looks at the parent's account while it runs: what the system
// says when it has ended begins with this program's own resident set.
func parentMemory(procpool string, chunks int) *contender {
	command := []string{procpool, "run", "--procs", "2", "--task", "null", "--chunk-size", "1", strconv.Itoa(chunks)}
	c := &contender{name: fmt.Sprintf("%d chunks", chunks), command: command}
	c.run = func() (float64, error) {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var peak float64
		for {
			select {
			case err := <-ended:
				return peak, err
			case <-time.After(20 * time.Millisecond):
				status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
				peak = max(peak, highWater(status))
			}
		}
	}
	return c
}

// highWater is VmHWM in a status of the proc file system, in MiB, or 0.
func highWater(status []byte) float64 {
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(fields[0]), 64)
	return kib / 1024
}
