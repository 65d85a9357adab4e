package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"procpool/child"
)

// memory measures what a child has for itself, and the peak resident set of a
// parent with very many chunks. Linux only, as the kernel's own figures are.
func memory(b *bench) ([]row, error) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.notes = append(b.notes, "memory: this system does not tell peak resident sets")
		return nil, nil
	}
	rows, err := childMemory(b)
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

// childMemory looks at workers that have said hello: of the program itself, and
// of the least one with a pool. What a worker costs is what it does not share with
// its parent and its siblings: the Private pages of smaps_rollup, while another one runs.
func childMemory(b *bench) ([]row, error) {
	bare := unique("bare Go", b.bare, "hold")
	ours, plain, library := unique("procpool", b.procpool, child.Arg), unique("procpool", b.plain, child.Arg), unique("library", b.library, child.Arg)
	rows := []row{
		{what: "memory of a worker's own", ours: ours, peer: bare, goal: goal{most: 1.5}},
		{what: "built without the tag urfave_cli_no_docs", ours: plain, peer: bare, goal: goal{most: 2}},
		{what: "of the least program with a pool", ours: library, peer: bare, goal: goal{most: 1.5}},
	}
	all := []*contender{bare, ours, plain, library}
	if b.before != "" {
		before := unique("procpool before", b.before, child.Arg)
		rows = append(rows, row{what: rows[0].what, ours: ours, peer: before})
		all = append(all, before)
	}
	for i := range rows {
		rows[i].unit = "MiB"
	}
	return rows, b.measure(b.rounds(11, 5), all...)
}

// unique is what a process has for itself, in MiB, beside another of its kind.
func unique(name string, command ...string) *contender {
	return &contender{name: name, command: command, run: func() (mib float64, err error) {
		for range 2 {
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // as pools start them
			stdin, err := cmd.StdinPipe()
			if err != nil {
				return 0, err
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				return 0, err
			}
			if err := cmd.Start(); err != nil {
				return 0, err
			}
			defer func() {
				stdin.Close()
				io.Copy(io.Discard, stdout)
				cmd.Wait()
			}()
			if _, err := stdout.Read(make([]byte, 1)); err != nil {
				return 0, err
			}
			rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
			if err != nil {
				return 0, err
			}
			mib = mebibytes(rollup, "Private_Clean:") + mebibytes(rollup, "Private_Dirty:")
		}
		return mib, nil
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
				peak = max(peak, mebibytes(status, "VmHWM:"))
			}
		}
	}
	return c
}

// mebibytes is a figure in a status of the proc file system, in MiB, or 0.
func mebibytes(status []byte, name string) float64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(fields[0]), 64)
	return kib / 1024
}
