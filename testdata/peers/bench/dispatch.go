package main

import (
	"strconv"
	"time"
)

// dispatch measures what one chunk costs that has nothing to do: whole runs of
// procpool, start and end included, by the number of chunks; Python's pools
// time themselves once they are up.
func dispatch(b *bench) ([]row, error) {
	chunks := b.rounds(1_000_000, 200_000)
	ours := perChunk("procpool", b.procpool, chunks)
	rows := []row{{what: "dispatch of a chunk, 2 workers", ours: ours, unit: "µs", goal: goal{most: 0.8}}}
	all := []*contender{ours}
	add := func(c *contender, g goal) {
		all = append(all, c)
		rows = append(rows, row{what: rows[0].what, ours: ours, peer: c, unit: "µs", ratio: faster, goal: g})
	}
	if b.before != "" {
		add(perChunk("procpool before", b.before, chunks), goal{})
	}
	if b.python != "" {
		add(perTask("imap_unordered", b.python, "imap", b.rounds(20_000, 5_000)), goal{least: 18})
		add(perTask("ProcessPoolExecutor.map", b.python, "executor", b.rounds(4_000, 1_000)), goal{})
	}
	return rows, b.measure(b.rounds(11, 3), all...)
}

// perChunk is a run of so many empty chunks in microseconds a chunk.
func perChunk(name, procpool string, chunks int) *contender {
	command := []string{procpool, "run", "--procs", "2", "--task", "null", "--chunk-size", "1", strconv.Itoa(chunks)}
	return &contender{name: name, command: command, run: func() (float64, error) {
		begin := time.Now()
		_, err := output(command...)
		return time.Since(begin).Seconds() / float64(chunks) * 1e6, err
	}}
}

// perTask is what pool.py says so many empty tasks took, in microseconds each.
func perTask(name, python, how string, tasks int) *contender {
	command := []string{python, poolPy, how, strconv.Itoa(tasks)}
	return &contender{name: name, command: command, run: func() (float64, error) {
		seconds, err := printed(command...)
		return seconds / float64(tasks) * 1e6, err
	}}
}
