package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	modulePath   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.[a-z]+(/[A-Za-z0-9_][A-Za-z0-9._~-]*)+$`)
	majorVersion = regexp.MustCompile(`/v[0-9]+$`)
	moduleLine   = regexp.MustCompile(`(?m)^module (\S+)$`)
)

// rename gives the module in folder root the path to, and lists the files that it
// changed.
func rename(root, to string) (changed []string, err error) {
	switch {
	case !modulePath.MatchString(to):
		return nil, fmt.Errorf("%q is no path for a module that others can import, as github.com/me/procpool is", to)
	case majorVersion.MatchString(to):
		return nil, fmt.Errorf("%q names a major version, and the module has none yet", to)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	line := moduleLine.FindSubmatch(mod)
	if line == nil {
		return nil, fmt.Errorf("go.mod has no module line")
	}
	names, err := files(root)
	if err != nil {
		return nil, err
	}
	r := newRenamer(string(line[1]), to, names)
	for _, name := range names {
		done, err := r.file(filepath.Join(root, name))
		if err != nil {
			return changed, err
		}
		if done {
			changed = append(changed, name)
		}
	}
	return changed, nil
}

// files lists the files below root, but for git's own and those in dist.
func files(root string) (names []string, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{".git", "dist"}, e.Name()):
			return fs.SkipDir
		case e.Type().IsRegular() && e.Name() != ".git": // a file in a linked worktree
			name, err := filepath.Rel(root, path)
			names = append(names, name)
			return err
		}
		return nil
	})
	return names, err
}

type renamer struct {
	to      string
	paths   *regexp.Regexp // of packages, in any text
	modules *regexp.Regexp // of the module itself, where module files and commands name it
}

func newRenamer(from, to string, names []string) *renamer {
	var tops []string
	for _, name := range names {
		if top, _, below := strings.Cut(filepath.ToSlash(name), "/"); below {
			tops = append(tops, regexp.QuoteMeta(top))
		}
	}
	slices.Sort(tops)
	from = regexp.QuoteMeta(from)
	const begin = `(^|[^\w./-])` // else it is the end of a longer path or word
	return &renamer{
		to:      to,
		paths:   regexp.MustCompile(`(?m)` + begin + from + `(/(?:` + strings.Join(slices.Compact(tops), "|") + `)\b)`),
		modules: regexp.MustCompile(`(?m)(\b(?:module|require|replace) |-replace=|-require=)` + from + `(\s|=|@|$)`),
	}
}

// file renames in one file and reports whether there was something to rename.
func (r *renamer) file(path string) (changed bool, err error) {
	old, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(old, 0) >= 0 { // a binary
		return false, err
	}
	text := r.paths.ReplaceAll(old, []byte("${1}"+r.to+"${2}"))
	switch filepath.Ext(path) {
	case ".go":
		if !bytes.Equal(old, text) {
			if text, err = format.Source(text); err != nil { // the order of imports
				return false, fmt.Errorf("%s: %w", path, err)
			}
		}
	case ".mod", ".work", ".md":
		text = r.modules.ReplaceAll(text, []byte("${1}"+r.to+"${2}"))
	}
	if bytes.Equal(old, text) {
		return false, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(path, text, info.Mode())
}
