package ipc

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Go's own tool reads the same build ID from the file.
func TestBuildID(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(goTool, "tool", "buildid", exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(out))
	if got := buildID(); got != want || want == "" {
		t.Errorf("buildID returns %q, the tool says %q", got, want)
	}
	if !strings.HasSuffix(Build(), " "+want[strings.LastIndexByte(want, '/')+1:]) {
		t.Errorf("Build returns %q", Build())
	}
}

// What is no build ID of Go's tools makes the program's contents its identity.
func TestWithoutBuildID(t *testing.T) {
	for _, id := range []string{"", "redacted", "a/b", "abcdefghijklmnopqrst/"} {
		if got := digest(id); !strings.Contains(got, "-") || got != digest("") || got == "unknown" {
			t.Errorf("digest(%q) returns %q", id, got)
		}
	}
}

// Two programs of the same size that differ in one constant are told apart, however they
// are linked, and two builds of one program are the same.
func TestBuildsDiffer(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	dir := t.TempDir()
	modes := map[string][]string{
		"plain":    nil,
		"stripped": {"-trimpath", "-ldflags=-s -w"},
		"no ID":    {"-trimpath", "-ldflags=-s -w -buildid="},
		"redacted": {"-ldflags=-buildid=redacted"},
		"PIE":      {"-buildmode=pie"},
	}
	if runtime.GOOS != "linux" {
		delete(modes, "PIE")
	}
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			builds := make(map[string]string)
			sizes := make(map[int64]bool)
			for _, kind := range []string{"one", "two", "again"} {
				exe := filepath.Join(dir, name+kind+".exe")
				args := append([]string{"build", "-o", exe}, flags...)
				if kind == "two" {
					args = append(args, "-tags", "two")
				}
				if out, err := exec.Command(goTool, append(args, "./testdata/identity")...).CombinedOutput(); err != nil {
					if name == "PIE" {
						t.Skipf("%v: %s", err, out)
					}
					t.Fatalf("%v: %s", err, out)
				}
				out, err := exec.Command(exe).Output()
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(exe)
				if err != nil {
					t.Fatal(err)
				}
				builds[kind], sizes[info.Size()] = string(out), true
			}
			t.Logf("%s, of %v bytes", builds["one"], sizes) // compressed symbols may differ in size
			if name == "stripped" && len(sizes) != 1 || builds["one"] == builds["two"] || builds["one"] != builds["again"] || strings.Contains(builds["one"], "unknown") {
				t.Errorf("builds of %v bytes: %q", sizes, builds)
			}
		})
	}
}

func BenchmarkBuildID(b *testing.B) {
	for b.Loop() {
		digest(buildID())
	}
}
