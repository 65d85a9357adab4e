package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of CONTRIBUTING.md and the Makefile are the same ten commands.
func TestMakefile(t *testing.T) {
	table := regexp.MustCompile("(?m)^\\| `make (.+?)` \\| `(.+?)` \\|").FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1)
	if len(table) != 10 {
		t.Errorf("the table has %d commands", len(table))
	}
	var listed []string
	for _, row := range table {
		listed = append(listed, strings.Fields(row[1])[0])
	}
	var targets []string
	for _, rule := range regexp.MustCompile(`(?m)^(\w+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, rule[1])
	}
	if !slices.Equal(listed, targets) {
		t.Errorf("CONTRIBUTING.md lists %q, the Makefile %q", listed, targets)
	}
	maker, err := exec.LookPath("make")
	if err != nil {
		t.Skip("there is no make here, which would say what it runs")
	}
	for _, row := range table {
		cmd := exec.CommandContext(hardLimit(t), maker, append([]string{"-n"}, strings.Fields(row[1])...)...)
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // which a make that runs this test has set
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != row[2] {
			t.Errorf("make %s: %v: it runs\n%s\nand the table says\n%s", row[1], err, got, row[2])
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
