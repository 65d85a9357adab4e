// Picture draws docs/terminal.svg: some commands of procpool, and what they print. Run it
// in the root of a clone, with python3 installed:
//
//	go run ./tools/picture
package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// commands are run one after the other in one folder, which has the examples. One that
// shows how a run ends early may fail.
var commands = []struct {
	line  string
	fails bool
}{
	{"procpool run --procs 4 100000000", false},
	{"procpool exec --chunk-size 250000 1e6 -- python3 examples/jobs/approx_pi.py", false},
	{"procpool run --procs 2 --chunk-size 1e8 --journal pi.journal --deadline 1s 5e9", true},
	{"procpool run --procs 2 --chunk-size 1e8 --journal pi.journal --resume 5e9", false},
}

const path = "docs/terminal.svg"

func main() {
	log.SetFlags(0)
	screen, err := record(".")
	if err == nil {
		err = os.WriteFile(path, draw(screen), 0o644)
	}
	if err != nil {
		log.Fatalln("picture:", err)
	}
}

// record builds procpool from the clone, runs the commands, and returns the lines that a
// terminal would show.
func record(clone string) (screen []string, err error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if clone, err = filepath.Abs(clone); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "procpool"), ".")
	build.Dir = clone
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build procpool: %w: %s", err, out)
	}
	if err := os.Symlink(filepath.Join(clone, "examples"), filepath.Join(dir, "examples")); err != nil {
		return nil, err
	}
	for _, c := range commands {
		cmd := exec.Command("sh", "-c", c.line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if failed := err != nil; failed != c.fails {
			return nil, fmt.Errorf("%s: %v: %s", c.line, err, out)
		}
		screen = append(screen, prompt+c.line)
		for line := range strings.Lines(string(out)) {
			screen = append(screen, wrap(strings.TrimSuffix(line, "\n"))...)
		}
	}
	return screen, nil
}

const (
	prompt  = "$ "
	columns = 93
)

// wrap cuts a line as a terminal does.
func wrap(line string) (lines []string) {
	letters := []rune(line)
	for len(letters) > columns {
		lines, letters = append(lines, string(letters[:columns])), letters[columns:]
	}
	return append(lines, string(letters))
}

// draw returns the screen as SVG, light on dark, so that it can be read on any page. The
// width of each line is given, whatever font the reader has.
func draw(screen []string) []byte {
	const size, advance, leading, margin = 14, 8.4, 21, 16
	var b bytes.Buffer
	width, height := int(math.Ceil(columns*advance))+2*margin, len(screen)*leading+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%[3]d" fill="#d0d7de">`, width, height, size)
	fmt.Fprintf(&b, "\n<title>Commands of procpool in a terminal</title>\n<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#161b22\"/>\n", width, height)
	for i, line := range screen {
		style := ""
		if strings.HasPrefix(line, prompt) {
			style = ` fill="#7ee787" font-weight="bold"`
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" textLength="%.1f" xml:space="preserve"%s>`, margin, margin+size+i*leading, float64(len([]rune(line)))*advance, style)
		xml.EscapeText(&b, []byte(line))
		b.WriteString("</text>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
