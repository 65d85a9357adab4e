package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of CONTRIBUTING.md and the Makefile are the same commands.
func TestMakefile(t *testing.T) {
	table := regexp.MustCompile("(?m)^\\| `make (.+?)` \\| `(.+?)` \\|").FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1)
	var listed []string
	for _, row := range table {
		listed = append(listed, strings.Fields(row[1])[0])
	}
	makefile := read(t, "Makefile")
	var targets []string
	for _, rule := range regexp.MustCompile(`(?m)^(\w+):`).FindAllStringSubmatch(makefile, -1) {
		targets = append(targets, rule[1])
	}
	if !slices.Equal(listed, targets) {
		t.Errorf("CONTRIBUTING.md lists %q, the Makefile %q", listed, targets)
	}
	if phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile); phony == nil || !slices.Equal(strings.Fields(phony[1]), targets) {
		t.Errorf(".PHONY is not %q", targets)
	}
	for _, row := range table {
		out, err := runMake(t, ".", append([]string{"-n"}, strings.Fields(row[1])...)...)
		if got := strings.TrimSpace(out); err != nil || got != row[2] {
			t.Errorf("make %s: %v: it runs\n%s\nand the table says\n%s", row[1], err, got, row[2])
		}
	}
}

// make lint fails on code that is not formatted, and shows what is wrong.
func TestLintRefusesUnformattedCode(t *testing.T) {
	if _, err := exec.LookPath("gofmt"); err != nil {
		t.Skip("gofmt is not here")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"Makefile": read(t, "Makefile"), "crooked.go": "package  crooked\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := runMake(t, dir, "lint"); err == nil || !strings.Contains(out, "\n-package  crooked\n") {
		t.Errorf("%v, %s", err, out)
	}
}

// What is below testdata is vetted, too, by make lint and in CI, although ./...
// leaves it out.
func TestLintCoversTestdata(t *testing.T) {
	lint := regexp.MustCompile(`(?m)^PACKAGES = (.*)$`).FindStringSubmatch(read(t, "Makefile"))
	ci := regexp.MustCompile(`(?m)^packages=\((.*?)\)`).FindStringSubmatch(read(t, ".ci/run"))
	if lint == nil || ci == nil || lint[1] != ci[1] {
		t.Fatalf("make lint vets %q, .ci/run %q", lint, ci)
	}
	err := filepath.WalkDir("testdata", func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		dir := "./" + filepath.ToSlash(filepath.Dir(path))
		vetted := slices.ContainsFunc(strings.Fields(lint[1])[1:], func(p string) bool {
			above, all := strings.CutSuffix(p, "...")
			return dir == p || all && strings.HasPrefix(dir+"/", above)
		})
		if !vetted {
			t.Errorf("nothing vets %s", dir)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// runMake runs make, free of what a make that runs this test has set.
func runMake(t *testing.T, dir string, args ...string) (out string, err error) {
	t.Helper()
	maker, err := exec.LookPath("make")
	if err != nil {
		t.Skip("there is no make here")
	}
	cmd := exec.CommandContext(hardLimit(t), maker, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	all, err := cmd.CombinedOutput()
	return string(all), err
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
