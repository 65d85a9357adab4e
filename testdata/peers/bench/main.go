// Command bench measures procpool beside its peers and prints one Markdown table:
//
//	go run ./testdata/peers/bench [-quick] [-before PROCPOOL] [SECTION...]
//
// It builds procpool and the peers: a bare Go program that starts itself again,
// C, Python's pools where /usr/bin/python3 is there, Open MPI and GNU parallel
// where they are installed. What is compared runs in turn, once a round, in an
// order that moves on from round to round, so that a noisy neighbour hits all
// sides; a ratio is the median of the rounds' own ratios. The whole takes
// about six minutes, with -quick one and a half. -before adds another build of procpool to the
// sections that measure the pool itself, to see what a change is worth.
//
// main.go chooses the sections; measure.go runs contenders and knows medians,
// table.go prints, build.go makes the binaries. Each other file is a section.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"procpool/pool"
)

// A section measures something and returns the table's rows for it.
type section struct {
	name, about string
	run         func(*bench) ([]row, error)
}

var sections = []section{
	{"start", "whole commands that do next to nothing", start},
	{"dispatch", "one chunk that costs nothing", dispatch},
	{"payload", "64 MiB to a worker and back", payload},
	{"map", "many tiny inputs, few large ones", mapping},
	{"memory", "resident sets", memory},
	{"efficiency", "two workers beside one, and beside goroutines", efficiency},
	{"growth", "time over intervals and over chunks", growth},
	{"kernels", "the numeric kernels beside C", kernels},
}

func main() {
	pool.Main() // the payload and map sections' workers go no further
	if len(os.Args) == 2 && os.Args[1] == mirrorArg {
		mirror()
		return
	}
	b := &bench{begin: time.Now()}
	flag.BoolVar(&b.quick, "quick", false, "fewer rounds, less work: about a minute and a half")
	flag.StringVar(&b.before, "before", "", "another build of procpool to be measured as well")
	flag.Usage = usage
	flag.Parse()
	chosen, err := choose(flag.Args())
	if err == nil {
		err = b.all(chosen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go run ./testdata/peers/bench [-quick] [-before PROCPOOL] [SECTION...]")
	for _, s := range sections {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", s.name, s.about)
	}
}

// choose finds the sections by name; none means all.
func choose(names []string) ([]section, error) {
	if len(names) == 0 {
		return sections, nil
	}
	var chosen []section
	for _, name := range names {
		i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
		if i < 0 {
			var known []string
			for _, s := range sections {
				known = append(known, s.name)
			}
			return nil, fmt.Errorf("no section %q: there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}

// all measures and prints. The table comes at once, at the end.
func (b *bench) all(chosen []section) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "procpool-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.build(); err != nil {
		return err
	}
	machine := describeMachine()
	var rows []row
	for _, s := range chosen {
		fmt.Fprintf(os.Stderr, "bench: %s (%s)\n", s.name, s.about)
		more, err := s.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, more...)
	}
	b.print(machine, rows)
	return nil
}
