package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Behind a launcher workers are started by the file of the program. Should that be
// replaced during a run, by a program that differs in one constant and has the same
// size, then workers of the new one are refused.
func TestAReplacedProgramIsRefused(t *testing.T) {
	long(t)
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	dir := t.TempDir()
	sizes := make(map[int64]bool)
	for _, tag := range []string{"one", "two"} {
		exe := filepath.Join(dir, tag)
		cmd := exec.CommandContext(hardLimit(t), goTool, "build", "-trimpath", "-ldflags=-s -w", "-tags", lean+","+tag, "-o", exe, "./testdata/replaced")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		info, err := os.Stat(exe)
		if err != nil {
			t.Fatal(err)
		}
		sizes[info.Size()] = true
	}
	if len(sizes) != 1 {
		t.Errorf("the programs differ in size: %v", sizes)
	}
	j := start(t, dir, filepath.Join(dir, "one"), "run", "--task", "weigh", "--launcher", "nice", "--procs", "2", "--chunk-size", "1", "--max-chunks-per-child", "1", "2000")
	time.Sleep(300 * time.Millisecond)
	if err := os.Rename(filepath.Join(dir, "two"), filepath.Join(dir, "one")); err != nil {
		t.Fatal(err)
	}
	if code := j.wait(); code != 1 { // at once: no worker of this program will come any more
		t.Errorf("exit code %d", code)
	}
	expect(t, j.stdout.String(), `^$`)
	expect(t, j.stderr.String(), `(?m)^replaced: .*another build, "`)
}
