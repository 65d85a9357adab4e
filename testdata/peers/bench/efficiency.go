package main

import (
	"fmt"
	"strconv"
)

// efficiency compares two workers with one serial run, and with goroutines, by
// the wall clock of whole commands; and by the CPU time that they used, which
// tells overhead from a CPU that somebody else had.
func efficiency(b *bench) ([]row, error) {
	var rows []row
	for _, name := range []string{"pi", "pi-fast"} {
		terms, err := b.termsFor(name)
		if err != nil {
			return nil, err
		}
		serial, goroutines, processes := b.mode(name, "serial", terms), b.mode(name, "goroutines", terms), b.mode(name, "processes", terms)
		if err := b.measure(b.rounds(9, 3), &serial.wall, &goroutines.wall, &processes.wall); err != nil {
			return nil, err
		}
		half := func(ours, peer float64) float64 { return peer / (2 * ours) }
		rows = append(rows,
			row{what: "efficiency of " + name + ", 2 processes", ours: &processes.wall, peer: &serial.wall, unit: "ms", ratio: half, goal: goal{least: 0.97}},
			row{what: name + ", beside goroutines", ours: &processes.wall, peer: &goroutines.wall, unit: "ms", goal: goal{most: 1.02}},
			row{what: name + ", CPU time of all processes", ours: &processes.cpu, peer: &serial.cpu, unit: "ms"})
	}
	return rows, nil
}

// termsFor is how many terms take a second of CPU time serially, or a quarter
// with -quick.
func (b *bench) termsFor(task string) (int64, error) {
	const probe = 1_000_000_000
	r, err := reported(b.procpool, "run", "--backend", "serial", "--task", task, strconv.Itoa(probe))
	if err != nil {
		return 0, err
	}
	used := r.CPUSeconds.Parent // in a serial run the work is its
	if used <= 0 {
		return 0, fmt.Errorf("a serial run of %s says that it used no CPU time", task)
	}
	seconds := 1.0
	if b.quick {
		seconds = 0.25
	}
	return int64(seconds / used * probe), nil
}

// A mode is a backend's wall-clock and CPU time, of the same runs.
type mode struct{ wall, cpu contender }

func (b *bench) mode(task, backend string, terms int64) *mode {
	command := []string{b.procpool, "run", "--backend", backend, "--task", task, strconv.FormatInt(terms, 10)}
	if backend != "serial" {
		command = append(command, "--procs", "2")
	}
	m := &mode{cpu: contender{name: backend}}
	m.wall = contender{name: backend, command: append(command, "--json"), run: func() (float64, error) {
		r, err := reported(command...)
		m.cpu.samples = append(m.cpu.samples, (r.CPUSeconds.Parent+r.CPUSeconds.Workers)*1e3)
		return r.WallSeconds * 1e3, err
	}}
	return m
}
