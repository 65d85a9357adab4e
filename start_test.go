package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every worker pays for the initialisation of all packages that are linked into
// the program, each time it starts. What they allocate is counted, which says as
// much as a time and is the same on every machine. A plain build, without the tag
// lean, allocates another 210 KB for tables of a Markdown renderer.
func TestPackagesAreCheapToInitialise(t *testing.T) {
	long(t)
	const maxBytes, maxAllocs = 44 << 10, 330 // about one and a half of what was counted when this was written

	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	exe := filepath.Join(t.TempDir(), "procpool.exe")
	if out, err := exec.CommandContext(hardLimit(t), goTool, "build", "-tags", lean, "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	cmd := exec.CommandContext(hardLimit(t), exe, "child")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if _, err := cmd.Output(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	lines := regexp.MustCompile(`(?m)^init (\S+) @.* (\d+) bytes, (\d+) allocs$`).FindAllStringSubmatch(stderr.String(), -1)
	var bytes, allocs int
	for _, line := range lines {
		b, _ := strconv.Atoi(line[2])
		a, _ := strconv.Atoi(line[3])
		bytes, allocs = bytes+b, allocs+a
	}
	t.Logf("%d packages allocate %d bytes in %d allocations before main", len(lines), bytes, allocs)
	if len(lines) == 0 || bytes > maxBytes || allocs > maxAllocs {
		t.Errorf("at most %d bytes in %d allocations are allowed:\n%s", maxBytes, maxAllocs, &stderr)
	}
}
