package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What README.md and docs/ show is what happens: the commands of a page are run in their
// order, each must succeed, and must print the lines of the block of output behind it.
func TestCommandsOfTheDocs(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell here")
	}
	pages, _ := filepath.Glob("docs/*.md")
	commands := 0
	for _, page := range append(pages, "README.md") {
		t.Run(page, func(t *testing.T) { commands += runPage(t, page) })
	}
	if commands < 12 {
		t.Errorf("only %d commands were found", commands)
	}
}

var block = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

func runPage(t *testing.T, page string) (commands int) {
	dir := t.TempDir()
	blocks := block.FindAllStringSubmatch(string(contents(t, page)), -1)
	for i, b := range blocks {
		if b[1] != "sh" {
			continue
		}
		output := ""
		for command := range strings.Lines(b[2]) {
			out, ran := runShown(t, dir, strings.TrimSpace(command))
			output += out
			if ran {
				commands++
			}
		}
		if output == "" || i+1 == len(blocks) || blocks[i+1][1] != "" {
			continue
		}
		for line := range strings.Lines(blocks[i+1][2]) {
			if !asShown(strings.TrimSuffix(line, "\n")).MatchString(output) {
				t.Errorf("after\n%s%s shows\n%sbut what comes is\n%s", b[2], page, line, output)
			}
		}
	}
	return commands
}

// runShown runs a command line in dir, unless it is no matter of procpool's or
// needs a program that is not here.
func runShown(t *testing.T, dir, command string) (output string, ran bool) {
	command = strings.Replace(command, "go run . ", "procpool ", 1)
	words := strings.Fields(command)
	if !slices.Contains(words, "procpool") {
		return "", false
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		t.Logf("there is no %s here", words[0])
		return "", false
	}
	cmd := exec.CommandContext(hardLimit(t), "sh", "-c", command)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", command, err, out)
	}
	return string(out), true
}

// asShown matches a line of output, whatever the times in it.
func asShown(line string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(line)
	pattern = regexp.MustCompile(`\d+\\\.\d+ s`).ReplaceAllString(pattern, `\d+\.\d+ s`)
	return regexp.MustCompile("(?m)^" + pattern + "$")
}

// The programs that the docs show compile and run: what stands before func main
// is theirs, what is imported follows from the names that they use.
func TestProgramsOfTheDocs(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	for page, want := range map[string]string{
		"README.md":           "2 <nil>\n4 <nil>\n6 <nil>\n",
		"docs/from-python.md": "1 <nil>\n4 <nil>\n9 <nil>\n",
	} {
		blocks := block.FindAllStringSubmatch(string(contents(t, page)), -1)
		i := slices.IndexFunc(blocks, func(b []string) bool { return b[1] == "go" })
		if i < 0 {
			t.Errorf("%s shows no program", page)
			continue
		}
		shown := blocks[i][2]
		program := "package main\n\nimport (\n"
		for _, path := range []string{"context", "fmt", "log", "slices", "procpool/child", "procpool/pool", "procpool/task"} {
			if strings.Contains(shown, path[strings.LastIndex(path, "/")+1:]+".") {
				program += fmt.Sprintf("\t%q\n", path)
			}
		}
		dir, err := os.MkdirTemp("testdata", "program-of-the-docs-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program+")\n\n"+shown), 0o666); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(hardLimit(t), goTool, "run", "./"+dir).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("the program of %s: %v, %s", page, err, out)
		}
	}
}
