package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A program is one that was built.
type program struct {
	system string // as in linux/amd64
	path   string
	stamp  stamp
}

// A builder builds procpool from the working directory.
type builder struct {
	folder string   // of the programs, the caller's
	env    []string // of the go command
}

// newBuilder fetches the modules by the user's settings; what is built then
// depends on none of them.
func newBuilder(folder string) (*builder, error) {
	if _, err := output(exec.Command("go", "mod", "download")); err != nil {
		return nil, err
	}
	caches, err := output(exec.Command("go", "env", "GOCACHE", "GOMODCACHE"))
	if err != nil {
		return nil, err
	}
	build, modules, _ := strings.Cut(strings.TrimSpace(caches), "\n")
	env := append(unset(os.Environ()), "GOENV=off", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
		"GOCACHE="+build, "GOMODCACHE="+strings.TrimSpace(modules))
	return &builder{folder, env}, nil
}

// unset is an environment without any setting of Go.
func unset(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(setting string) bool {
		return strings.HasPrefix(setting, "GO") || strings.HasPrefix(setting, "CGO")
	})
}

func (b *builder) build(system string) (program, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return program{}, fmt.Errorf("%q is no OS/ARCH, as linux/amd64 is", system)
	}
	p := program{system: system, path: filepath.Join(b.folder, goos+"_"+goarch+".exe")}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "urfave_cli_no_docs", "-o", p.path, ".")
	cmd.Env = append(slices.Clip(b.env), "GOOS="+goos, "GOARCH="+goarch)
	if _, err := output(cmd); err != nil {
		return program{}, err
	}
	info, err := buildinfo.ReadFile(p.path)
	if err != nil {
		return program{}, err
	}
	if p.stamp, err = newStamp(info); err != nil {
		return program{}, err
	}
	if goos == "linux" {
		err = static(p.path)
	}
	return p, err
}

// output runs a command and returns what it prints. Its error is what it says on stderr.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%s: %s", strings.Join(cmd.Args[:2], " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// static makes sure that a program needs no loader and no library.
func static(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	if len(libraries) > 0 || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return fmt.Errorf("%s is not static: it needs a loader and %q", path, libraries)
	}
	return nil
}

// A stamp is what a program says of its origin.
type stamp struct {
	version  string    // as procpool --version prints it
	commit   string    // "" if it was not built in a clone
	date     time.Time // of the commit
	modified bool      // the tree was not that of the commit
}

// undated is the date of what comes from no commit: the first that a zip can hold.
var undated = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func newStamp(info *buildinfo.BuildInfo) (stamp, error) {
	s := stamp{version: info.Main.Version, date: undated}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			s.commit = setting.Value
		case "vcs.modified":
			s.modified = setting.Value == "true"
		case "vcs.time":
			date, err := time.Parse(time.RFC3339, setting.Value)
			if err != nil {
				return s, err
			}
			s.date = date.UTC()
		}
	}
	return s, nil
}

// clean returns an error unless a commit determines the program.
func (s stamp) clean() error {
	switch {
	case s.commit == "":
		return errors.New("there is no commit to take version and date from\n" +
			"hint: Go finds one in a clone; in a linked worktree, and without git, only -dirty builds")
	case s.modified:
		return fmt.Errorf("the tree is not that of commit %.12s\nhint: 'git status' says what differs; -dirty builds all the same", s.commit)
	}
	return nil
}

func (s stamp) String() string {
	return strings.TrimSpace(s.version + " " + s.commit)
}
