package child

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A Python program drives a worker with its own msgpack library and gets the digits
// of the tutorial.
func TestPythonClient(t *testing.T) {
	const python, client = "/usr/bin/python3", "../testdata/python/client.py"
	if out, err := exec.Command(python, "-c", "import msgpack").CombinedOutput(); err != nil {
		if os.Getenv("PROCPOOL_CI_STRICT") == "1" {
			t.Fatalf("python3-msgpack is missing: %v: %s", err, out)
		}
		t.Skip("python3-msgpack is missing: apt-get install python3-msgpack")
	}
	const terms = "1000000"
	four := "PI is approximately 3.1415916535897810, Error is 0.0000010000000121\n"
	for _, c := range []struct {
		name string
		args []string
		want string // on stdout
		err  string // part of stderr, if it must fail
	}{
		{"without open", []string{"--terms", terms, os.Args[0], Arg}, four, ""},
		{"with open and end", []string{"--open", "--terms", terms, os.Args[0], Arg}, four, ""},
		{"by the alias", []string{"--terms", terms, os.Args[0], "child"}, four, ""},
		{"one chunk", []string{"--terms", terms, "--chunks", "1", os.Args[0], Arg}, "PI is approximately 3.1415916535897743, Error is 0.0000010000000188\n", ""},
		{"more chunks than may be pending", []string{"--terms", "3000", "--chunks", "3000", os.Args[0], Arg}, "PI is approximately 3.1412593202657186, Error is 0.0003333333240745\n", ""},
		{"no worker at all", []string{"cat", "/dev/null"}, "", "client.py: the worker's first message is nothing"},
		{"no msgpack", []string{"echo", "hello"}, "", "client.py: not a message: 104"},
		{"a bad interval", []string{"--terms", "-8", os.Args[0], Arg}, "", "client.py: request 0 failed: interval [0, -2) starts beyond its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), hangLimit)
			defer cancel()
			cmd := exec.CommandContext(ctx, python, append([]string{client}, c.args...)...)
			cmd.WaitDelay = time.Second
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(stderr.String(), c.err)) {
				t.Errorf("%v: %s", err, &stderr)
			}
			if stdout.String() != c.want {
				t.Errorf("%q, want %q", &stdout, c.want)
			}
		})
	}
}
