package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a code block of a page: its language and its text.
var block = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// elsewhere are the beginnings of commands that the pages show and that are not
// run as procpool's own commands are, and where they are run instead.
var elsewhere = map[string]string{
	"go test ":                      "here",
	"go install ":                   "in .ci/fresh",
	"export PATH=":                  "in .ci/fresh",
	"go run ./testdata/peers/bench": "in .ci/run, in short",
	"go work ":                      "in TestProgramsOfTheDocs",
	"go mod ":                       "in TestProgramsOfTheDocs",
	"make home ":                    "in the tests of tools/home",
	"procpool run --worker ":        "in TestPythonWorkersAreKilled",
	"procpool doctor --worker ":     "in TestPythonWorkerConforms",
}

// What README.md and docs/ show is what happens: the commands of a page are run in their
// order, each must succeed, and must print the lines of the block of output behind it.
// Comparisons are shorter than the page has them, see shortened.
func TestCommandsOfTheDocs(t *testing.T) {
	long(t)
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell here")
	}
	unseen := maps.Clone(elsewhere)
	pages, _ := filepath.Glob("docs/*.md")
	for _, page := range append(pages, "README.md") {
		t.Run(page, func(t *testing.T) { runPage(t, page, unseen) })
	}
	for begin := range unseen {
		t.Errorf("no page shows a command that begins with %q", begin)
	}
}

func runPage(t *testing.T, page string, unseen map[string]string) {
	dir := t.TempDir()
	if here, err := filepath.Abs("examples"); err != nil || os.Symlink(here, filepath.Join(dir, "examples")) != nil {
		t.Skip("there are no links here")
	}
	blocks := block.FindAllStringSubmatch(read(t, page), -1)
	for i, b := range blocks {
		if b[1] != "sh" {
			continue
		}
		output := ""
		for command := range strings.Lines(b[2]) {
			command = strings.TrimSpace(command)
			if ran := runElsewhere(command); ran != "" {
				delete(unseen, ran)
				continue
			}
			output += runShown(t, dir, command)
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
}

// runElsewhere is the key of elsewhere that a command begins with, or "".
func runElsewhere(command string) string {
	for begin := range elsewhere {
		if strings.HasPrefix(command+" ", begin) {
			return begin
		}
	}
	return ""
}

// runShown runs a command of procpool in dir, unless it needs a program that is
// not here.
func runShown(t *testing.T, dir, command string) (output string) {
	command = shortened(strings.Replace(command, "go run . ", "procpool ", 1))
	words := strings.Fields(command)
	if !slices.Contains(words, "procpool") {
		t.Errorf("nothing runs this command: %s", command)
		return ""
	}
	for _, name := range []string{words[0], "python3"} {
		if _, err := exec.LookPath(name); err != nil && slices.Contains(words, name) {
			t.Logf("there is no %s here", name)
			return ""
		}
	}
	t.Log(command)
	cmd := exec.CommandContext(hardLimit(t), "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "XDG_CACHE_HOME="+dir, "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", command, err, out)
	}
	return string(out)
}

// shortened gives a comparison the smallest tasks and the fewest rounds that it
// allows: otherwise it uses all the time that the page gives it, to be precise.
func shortened(command string) string {
	return strings.Replace(command, "procpool compare ", "procpool compare --target 5ms --max-pairs 3 ", 1)
}

// The function in Python that README.md shows is that of the example.
func TestPythonOfTheReadme(t *testing.T) {
	for _, b := range block.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if b[1] == "python" && !strings.Contains(read(t, "examples/jobs/approx_pi.py"), b[2]) {
			t.Errorf("the example does not have\n%s", b[2])
		}
	}
}

// asShown matches a line of output, whatever the times in it.
func asShown(line string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(line)
	pattern = regexp.MustCompile(`\d+\\\.\d+ s`).ReplaceAllString(pattern, `\d+\.\d+ s`)
	return regexp.MustCompile("(?m)^" + pattern + "$")
}

// The programs that the docs show compile as they stand, in a module that uses this
// clone in the two ways that README.md tells: its commands that begin with go work, and
// those that begin with go mod.
func TestProgramsOfTheDocs(t *testing.T) {
	long(t)
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not here")
	}
	var ways [2][]string
	for i, begin := range []string{"go work ", "go mod "} {
		for command := range strings.Lines(read(t, "README.md")) {
			if strings.HasPrefix(command, begin) {
				ways[i] = append(ways[i], strings.TrimSpace(command))
			}
		}
		if ways[i] == nil {
			t.Fatalf("README.md shows no command that begins with %q", begin)
		}
	}
	for page, want := range map[string]string{
		"README.md":           "2 <nil>\n4 <nil>\n6 <nil>\n",
		"docs/from-python.md": "1 <nil>\n4 <nil>\n9 <nil>\n",
	} {
		blocks := block.FindAllStringSubmatch(read(t, page), -1)
		i := slices.IndexFunc(blocks, func(b []string) bool { return b[1] == "go" })
		if i < 0 {
			t.Errorf("%s shows no program", page)
			continue
		}
		for _, way := range ways {
			t.Run(page+" after "+way[0], func(t *testing.T) {
				t.Parallel()
				if out := runAsStranger(t, blocks[i][2], way); out != want {
					t.Errorf("it prints\n%s", out)
				}
			})
		}
	}
}

// runAsStranger runs a program in a module of its own, after commands that let it
// find this clone, which they call ../procpool.
func runAsStranger(t *testing.T, program string, commands []string) (output string) {
	t.Helper()
	clone, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": program,
		"go.sum":  read(t, "examples/go.sum"), // so that nobody is asked for the sums of modules that are here
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range slices.Concat([]string{"go mod init example.org/mine"}, commands, []string{"go vet .", "go run ."}) {
		words := strings.Fields(command)
		for i, w := range words {
			words[i] = strings.Replace(w, "../procpool", clone, 1)
		}
		cmd := exec.CommandContext(hardLimit(t), words[0], words[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, &stderr)
		}
		output = string(out)
	}
	return output
}
