package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"procpool/child"
	"procpool/ipc"
)

// memory measures peak resident sets: of a child, and of a parent with very
// many chunks. Linux only, as the kernel's own account of them is.
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
// of the least one with a pool. What a child does not share with its parent
// and its siblings is the part that is not the program's file.
func childMemory(b *bench) ([]row, error) {
	bare := func(figure string) *contender {
		return &contender{name: "bare Go", command: []string{b.bare, "status"}, run: func() (float64, error) {
			status, err := output(b.bare, "status")
			return mebibytes(status, figure), err
		}}
	}
	rows := []row{
		{what: "peak resident set of a child", ours: childFigure("procpool", b.procpool, "VmHWM:"), peer: bare("VmHWM:"), goal: goal{most: 2}},
		{what: "of the least program with a pool", ours: childFigure("library", b.library, "VmHWM:"), peer: bare("VmHWM:"), goal: goal{most: 2}},
		{what: "of a child alone, its program not counted", ours: childFigure("procpool", b.procpool, "RssAnon:"), peer: bare("RssAnon:"), goal: goal{most: 2}},
	}
	if b.before != "" {
		rows = append(rows, row{what: rows[0].what, ours: childFigure("procpool", b.procpool, "VmHWM:"), peer: childFigure("procpool before", b.before, "VmHWM:")})
	}
	var all []*contender
	for i := range rows {
		rows[i].unit = "MiB"
		all = append(all, rows[i].ours, rows[i].peer)
	}
	return rows, b.measure(b.rounds(11, 5), all...)
}

// childFigure is a figure of a worker that has said hello, in MiB.
func childFigure(name, program, figure string) *contender {
	command := []string{program, child.Arg}
	return &contender{name: name, command: command, run: func() (float64, error) {
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
		var status []byte
		if _, _, err = ipc.NewReader(stdout, 0).Hello(); err == nil {
			status, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		}
		stdin.Close()
		io.Copy(io.Discard, stdout)
		return mebibytes(status, figure), errors.Join(err, cmd.Wait())
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
