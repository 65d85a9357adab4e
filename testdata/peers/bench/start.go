package main

import (
	"os"
	"slices"
)

const poolPy = "testdata/peers/pool.py"

// start measures whole commands: two workers that do an empty chunk each, then 64.
func start(b *bench) ([]row, error) {
	const runs = 5 // of the short ones
	args := []string{"run", "--procs", "2", "--task", "null", "2"}
	ours := timed("procpool", runs, append([]string{b.procpool}, args...)...)
	bare := timed("bare Go", runs, b.bare, "2")
	peers := []row{{peer: bare, goal: goal{most: 1.85}}}
	if b.fork != "" {
		peers = append(peers, row{peer: timed("C fork", runs, b.fork, "2")})
	}
	if b.before != "" {
		peers = append(peers, row{peer: timed("procpool before", runs, append([]string{b.before}, args...)...)})
	}
	if b.python != "" {
		peers = append(peers,
			row{peer: timed("Pool(2) by fork", 1, b.python, poolPy, "start", "fork"), ratio: faster, goal: goal{least: 8}},
			row{peer: timed("Pool(2) by spawn", 1, b.python, poolPy, "start", "spawn"), ratio: faster, goal: goal{least: 15}})
	}
	if b.mpirun != "" {
		command := []string{b.mpirun, "--oversubscribe", "-np", "2", "true"}
		if os.Geteuid() == 0 {
			command = append(command[:1:1], append([]string{"--allow-run-as-root"}, command[1:]...)...)
		}
		peers = append(peers, row{peer: timed("mpirun of two empty programs", 1, command...), ratio: faster})
	}
	if b.parallel != "" {
		peers = append(peers, row{peer: timed("GNU parallel of two empty programs", 1, b.parallel, "-j2", "true", ":::", "1", "2"), ratio: faster})
	}
	plain := row{what: "the same, built without the tag urfave_cli_no_docs", unit: "ms", peer: bare, goal: goal{most: 2.2},
		ours: timed("procpool", runs, append([]string{b.plain}, args...)...)}
	two, err := b.against("start of 2 workers, 2 empty chunks, whole command", ours, "ms", b.rounds(31, 7), peers, plain.ours)
	if err != nil {
		return nil, err
	}
	pools, err := startPools(b)
	return slices.Concat(two[:1], []row{plain}, two[1:], pools), err
}

// startPools measures the least program with a pool, without the command line:
// it waits for every worker's hello, gives each a chunk, and waits for its end.
func startPools(b *bench) ([]row, error) {
	two, err := b.against("the least program with a pool of 2", timed("library", 5, b.library, "2"), "ms", b.rounds(31, 7),
		[]row{{peer: timed("bare Go", 5, b.bare, "2"), goal: goal{most: 1.5}}})
	if err != nil {
		return nil, err
	}
	bare := timed("bare Go", 1, b.bare, "64")
	hello := &contender{name: "library", command: []string{b.library, "64"}, run: func() (float64, error) {
		return printed(b.library, "64")
	}}
	many := []row{
		{what: "64 workers, to the last hello", ours: hello, peer: bare, unit: "ms", goal: goal{most: 1.4}},
		{what: "the least program with a pool of 64, to its end", ours: timed("library", 1, b.library, "64"), peer: bare, unit: "ms", goal: goal{most: 1.6}},
	}
	return append(two, many...), b.measure(b.rounds(31, 5), hello, bare, many[1].ours)
}

// against measures ours beside the peers of rows, and completes these. more is
// measured in the same rounds.
func (b *bench) against(what string, ours *contender, unit string, rounds int, rows []row, more ...*contender) ([]row, error) {
	all := append([]*contender{ours}, more...)
	for i := range rows {
		r := &rows[i]
		r.what, r.ours, r.unit = what, ours, unit
		all = append(all, r.peer)
	}
	return rows, b.measure(rounds, all...)
}
