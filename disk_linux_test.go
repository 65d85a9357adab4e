package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk mounts an empty file system for a test and returns its folder.
func disk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// thinDisk mounts a file system that takes writes for which its disk has no room, so
// that an fsync fails and no write does.
func thinDisk(t *testing.T) string {
	t.Helper()
	image := filepath.Join(disk(t, "size=1m"), "image")
	dir := t.TempDir()
	for _, words := range [][]string{
		{"truncate", "-s", "64M", image},
		{"mkfs.ext4", "-q", "-F", "-O", "^has_journal", image},
		{"mount", "-o", "loop", image, dir},
	} {
		if out, err := exec.CommandContext(hardLimit(t), words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v: %s", words, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fill takes all the room that a file system has left.
func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 64<<20), 0o600); err == nil {
		t.Fatal("the disk is larger than it should be")
	}
}

const manyChunks = "4e6"

func journaled(name string, more ...string) []string {
	return append([]string{"run", "--procs", "2", "--chunk-size", "1000", "--journal", name}, append(more, manyChunks)...)
}

// A journal that runs out of room keeps every line for which there was room, and the
// run can go on when there is more.
func TestAFullDiskKeepsWhatDidFit(t *testing.T) {
	want := resultOf(t, "--procs", "2", "--chunk-size", "1000", manyChunks)
	const limit = 300 << 10
	for name, c := range map[string]struct {
		dir     func() string
		limited string // before the command
		reason  string
		todo    string
		more    func(dir string) error
	}{
		"no space left": {
			func() string { return disk(t, "size=300k") }, "", "no space left on device", "make room",
			func(dir string) error { return syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=30m") },
		},
		"limit of file sizes": {
			t.TempDir, "ulimit -f 600; ", "file too large", `raise the limit of file sizes \(ulimit -f\)`, // 600 times 512 bytes
			func(string) error { return nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := c.dir()
			j := start(t, dir, "sh", append([]string{"-c", c.limited + `exec procpool "$@"`, "sh"}, journaled("j")...)...)
			if code := j.wait(); code != 1 {
				t.Errorf("exit code %d, not 1", code)
			}
			expect(t, j.stderr.String(), `^procpool: journal j: `+c.reason+` \(\d+ of 4000 chunks are done\)\n`+
				`hint: journal j holds \d+ of 4000 chunks \(.* %\) and is valid; `+c.todo+`, then the same command with --resume goes on\n$`)
			text, err := os.ReadFile(filepath.Join(dir, "j"))
			if err != nil || !bytes.HasSuffix(text, []byte("\n")) {
				t.Fatalf("the journal has no end of a line at its end: %v", err)
			}
			longest := 0
			for line := range bytes.Lines(text) {
				longest = max(longest, len(line))
			}
			if free := limit - len(text); free > longest {
				t.Errorf("there was room for %d bytes more, and the longest line has %d", free, longest)
			}
			if err := c.more(dir); err != nil {
				t.Fatal(err)
			}
			j = start(t, dir, "procpool", journaled("j", "--resume")...)
			if code := j.wait(); code != 0 || j.result() != want {
				t.Errorf("exit code %d, result %q, not %q; stderr: %s", code, j.result(), want, &j.stderr)
			}
		})
	}
}

// A file that is written at the end appears whole or not at all, and the one that it
// was to replace stays.
func TestAFullDiskLeavesOldFiles(t *testing.T) {
	source := filepath.Join(t.TempDir(), "whole")
	if code := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--chunk-size", "1000", "--task", "primes", "--journal", source, "4e5").wait(); code != 0 {
		t.Fatal(code)
	}
	for name, c := range map[string]struct {
		args []string
		old  bool
	}{
		"trace":   {[]string{"run", "--procs", "2", "--chunk-size", "1000", "--trace", "f", manyChunks}, true},
		"page":    {[]string{"compare", "--procs", "1", "--size", "1e4", "--max-pairs", "10", "--export-html", "f", "pi"}, true},
		"record":  {[]string{"compare", "--procs", "1", "--size", "1e4", "--max-pairs", "10", "--export-json", "f", "pi"}, true},
		"merge":   {[]string{"merge", source, "--journal", "f"}, false},
		"journal": {journaled("f"), false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := disk(t, "size=16k")
			if c.old {
				if err := os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			fill(t, dir)
			j := start(t, dir, "procpool", c.args...)
			if code := j.wait(); code != 1 {
				t.Errorf("exit code %d, not 1", code)
			}
			expect(t, j.stderr.String(), `procpool: .*: no space left on device\n$`)
			text, err := os.ReadFile(filepath.Join(dir, "f"))
			if c.old && string(text) != "old" || !c.old && !os.IsNotExist(err) {
				t.Errorf("f has %q, %v", text, err)
			}
			if temps, _ := filepath.Glob(filepath.Join(dir, ".procpool-*")); len(temps) > 0 {
				t.Errorf("files are left: %v", temps)
			}
		})
	}
}

// After an fsync that failed, nobody is told that a journal is valid, or that room is
// all that it lacks. (Linux says so once, and then has dropped what it could not write.)
func TestAFailedSyncPromisesNothing(t *testing.T) {
	source := filepath.Join(t.TempDir(), "source")
	if code := start(t, t.TempDir(), "procpool", journaled(source)...).wait(); code != 0 {
		t.Fatal(code)
	}
	dir := thinDisk(t)
	j := start(t, dir, "procpool", "run", "--procs", "2", "--chunk-size", "1000", "--journal", "j", "20e6")
	if code := j.wait(); code != 1 {
		t.Errorf("exit code %d, not 1; stderr: %s", code, &j.stderr)
	}
	expect(t, j.stderr.String(), `^procpool: journal j could not be brought to the disk: .*\nhint: what it holds is uncertain, .*\n$`)
	for name, args := range map[string][]string{"merge": {"merge", source, "--journal", "merged"}, "new": journaled("new")} {
		j := start(t, dir, "procpool", args...)
		if code := j.wait(); code != 1 {
			t.Errorf("%s: exit code %d, not 1; stderr: %s", name, code, &j.stderr)
		}
		text := j.stderr.String()
		if !strings.Contains(text, "could not be brought to the disk") || strings.Contains(text, "valid") {
			t.Errorf("%s: %s", name, text)
		}
		t.Logf("%s: %s", name, text)
		if _, err := os.Stat(filepath.Join(dir, "merged")); !os.IsNotExist(err) {
			t.Errorf("a journal that is not on disk has its name: %v", err)
		}
	}
}
