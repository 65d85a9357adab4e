package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A bench is one run of this program.
type bench struct {
	quick  bool
	before string // another procpool; may be ""
	begin  time.Time

	dir            string // for the binaries
	procpool, bare string
	plain          string // procpool without build tags
	library        string // the least program with a pool
	fork           string // "" without a C compiler, like what follows
	pi             [3]string
	python         string // "" where it is not installed, like what follows
	mpirun         string
	parallel       string

	notes    []string // what could not be measured
	commands []string // what was
}

// piFlags are the ways in which pi.c is compiled.
var piFlags = [3][]string{
	{"-O3", "-march=native"},
	{"-Ofast", "-march=native"},
	{"-Ofast", "-march=native", "-fopenmp"},
}

// build makes the binaries in b.dir and looks for the peers that are not ours.
func (b *bench) build() error {
	for _, p := range []struct {
		to              *string
		name, tags, pkg string
	}{
		{&b.procpool, "procpool", "urfave_cli_no_docs", "."}, {&b.plain, "plain", "", "."},
		{&b.bare, "bare", "", "./testdata/peers/bare"}, {&b.library, "library", "", "./testdata/peers/library"},
	} {
		linked := filepath.Join(b.dir, "linked")
		if _, err := output("go", "build", "-tags", p.tags, "-o", linked, p.pkg); err != nil {
			return fmt.Errorf("%w (run this from the root of the module)", err)
		}
		var err error
		if *p.to, err = b.install(linked, p.name); err != nil {
			return err
		}
	}
	if b.before != "" {
		var err error
		if b.before, err = b.install(b.before, "before"); err != nil {
			return err
		}
	}
	if err := b.buildC(); err != nil {
		return err
	}
	const python = "/usr/bin/python3" // not a version manager's shim, which costs more than the pool
	if _, err := os.Stat(python); err == nil {
		b.python = python
	} else {
		b.notes = append(b.notes, "Python's pools: there is no "+python)
	}
	b.mpirun = b.installed("mpirun", "Open MPI")
	b.parallel = b.installed("parallel", "GNU parallel")
	return nil
}

// install copies a program into b.dir, as an installer would. The file that the linker
// wrote, page by page, starts more slowly than its copy, and the more so the larger it is:
// a run of two empty chunks took 8.7 ms instead of 8.0.
func (b *bench) install(from, name string) (to string, err error) {
	program, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	to = filepath.Join(b.dir, name)
	return to, os.WriteFile(to, program, 0o755)
}

func (b *bench) buildC() error {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if b.installed(cc, "the C peers") == "" {
		return nil
	}
	b.fork = filepath.Join(b.dir, "fork")
	if _, err := output(cc, "-O2", "-o", b.fork, "testdata/peers/fork.c"); err != nil {
		return err
	}
	for i, flags := range piFlags {
		b.pi[i] = filepath.Join(b.dir, fmt.Sprintf("pi%d", i))
		if _, err := output(append(append([]string{cc}, flags...), "-o", b.pi[i], "testdata/peers/pi.c")...); err != nil {
			return err
		}
	}
	return nil
}

// installed is where a command is, or "" and a note.
func (b *bench) installed(command, what string) string {
	path, err := exec.LookPath(command)
	if err != nil {
		b.notes = append(b.notes, fmt.Sprintf("%s: %s is not installed", what, command))
		return ""
	}
	return path
}
