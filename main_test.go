package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"procpool/child"
	"procpool/internal/leak"
	"procpool/placement"
	"procpool/pool"
)

// hearHangups undoes an inherited nohup: what this process handles, and does
// not ignore, the processes that it starts begin without.
func hearHangups() {
	if filepath.Base(os.Args[0]) != "procpool" && signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}

// TestMain lets the test binary play procpool: testscript installs copies of it
// under that name, and calls main in them. A worker that such a copy starts is
// a worker at once, and never gets as far as the tests.
func TestMain(m *testing.M) {
	pool.Main("child")
	// Processes under the race detector would sleep for a second when they end.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	hearHangups()
	testscript.Main(leak.Watch(m), map[string]func(){"procpool": main})
}

// marker is an environment variable that tells the processes of one script, or
// of one test, from all others.
const marker = "PROCPOOL_TEST_OF"

// TestScript drives the command line as a user would: testdata/script/*.txtar.
// The condition [cpus] holds where there are several CPUs to be bound to, of
// which $FIRSTCPU and $LASTCPU are two; [terminal] where a script can be given
// one. With UPDATE_SCRIPTS=1 what cmp finds different is written into the scripts.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                scriptCommands,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") == "1",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(5 * time.Minute), // for hangs alone
		Setup: func(env *testscript.Env) error {
			env.Setenv(marker, env.WorkDir)
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("XDG_CACHE_HOME", env.WorkDir+"/cache")
			if mask, err := (placement.System{}).Mask(); err == nil {
				cpus := slices.Collect(mask.All())
				env.Setenv("FIRSTCPU", strconv.Itoa(cpus[0]))
				env.Setenv("LASTCPU", strconv.Itoa(cpus[len(cpus)-1]))
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "cpus":
				mask, err := placement.System{}.Mask()
				return err == nil && mask.Count() > 1, nil
			case "terminal":
				f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
				if err == nil {
					f.Close()
				}
				return err == nil && runtime.GOOS == "linux", nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
	})
}

// Whatever makes a process of this test binary a worker, it answers as a
// worker does and runs no test.
func TestWorkersOfATestBinaryRunNoTests(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		env  string
	}{
		{"first argument", []string{child.Arg, "0"}, ""},
		{"first argument before the flags of a test", []string{child.Arg, "0", "-test.v", "-test.run=.*"}, ""},
		{"alias", []string{"child"}, ""},
		{"environment", nil, child.Env + "=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.CommandContext(hardLimit(t), exe, c.args...)
			cmd.Env = append(os.Environ(), c.env)
			cmd.Stdin = strings.NewReader("") // through a pipe
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			if !bytes.HasPrefix(out, []byte("\x81\xa5hello")) || !bytes.Contains(out, []byte("\x81\xa3bye")) {
				t.Errorf("it is no worker: it writes %q", out)
			}
			if all := string(out) + stderr.String(); strings.Contains(all, "=== RUN") || strings.Contains(all, "PASS") {
				t.Errorf("it ran tests: %q", all)
			}
		})
	}
}

// The variable that makes a program a worker may have been left behind. Then it changes
// nothing, also not in what the program starts.
func TestAVariableThatWasLeftBehind(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a run":        {[]string{"run", "--procs", "2", "1000"}, "^PI is approximately "},
		"another word": {[]string{"tasks"}, "^alloc "},
		"a device":     {nil, "procpool"}, // standard input is /dev/null; it says how it is called
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(hardLimit(t), "procpool", c.args...)
			cmd.Env = append(os.Environ(), child.Env+"=1")
			out, err := cmd.CombinedOutput()
			if (err == nil) != (c.args != nil) || bytes.Contains(out, []byte("\xa5hello")) || !regexp.MustCompile(c.want).Match(out) {
				t.Errorf("%v: %q", err, out)
			}
		})
	}
}

// A program, or a test binary, that forgot pool.Main gets an error before
// anything is started.
func TestForgottenChildMain(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	exe := filepath.Join(t.TempDir(), "forgetful.exe")
	if out, err := exec.CommandContext(hardLimit(t), goTool, "build", "-o", exe, "./testdata/forgetful").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	out, err := exec.CommandContext(hardLimit(t), exe).CombinedOutput()
	if code := exitCode(err); code != 3 || strings.Count(string(out), "started") != 1 || !strings.Contains(string(out), "pool.Main") {
		t.Errorf("exit code %d, and it says\n%s", code, out)
	}
}

// long skips a test that takes seconds, under -short.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("this takes seconds")
	}
}
