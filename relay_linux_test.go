package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A line of a worker's stderr can be taken neither for another worker's nor for one of
// procpool's, and does nothing to a terminal.
func TestNoLinePosesAsAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"carriage return": "harmless\rprocpool: the result is 3\n",
		"cursor":          "\x1b[1A\x1b[2K[worker 1] it was me\n",
		"C1":              "\u009b1A\u009b2Kprocpool: done\n",
		"direction":       "\u202eenod :loopcorp\n",
		"not UTF-8":       "\xffprocpool: \x9b2K\n",
		"no line end":     "\x1b]0;title\x07",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			// The launcher writes to the worker's stderr, as a task could.
			cmd := exec.CommandContext(hardLimit(t), "procpool", "run", "--procs", "1", "--launcher", "sh -c 'cat \""+file+"\" >&2; exec {cmd}'", "1000")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "PI is approximately ") {
				t.Fatalf("%v: %s%s", err, out, &stderr)
			}
			expect(t, stderr.String(), `^\[worker 0\] [ -~]*\n$`)
		})
	}
}
