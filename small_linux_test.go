package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// threadsGroup makes a cgroup with room for few threads, and returns its folder.
func threadsGroup(t *testing.T) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(root, fmt.Sprintf("procpool-test-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		if _, err := os.Stat(filepath.Join(dir, "pids.max")); err == nil {
			return dir
		}
	}
	t.Skip("cannot make a cgroup that limits threads")
	return ""
}

// Where there is no room for the threads of the workers, that is said before any is
// started. (With room for fewer than about ten Go's runtime ends a program of its own
// accord.)
func TestFewThreads(t *testing.T) {
	for name, within := range map[string]func(t *testing.T, most int) []string{
		"cgroup": func(t *testing.T, most int) []string {
			dir := threadsGroup(t)
			if err := os.WriteFile(filepath.Join(dir, "pids.max"), []byte(fmt.Sprint(most)), 0o600); err != nil {
				t.Skip(err)
			}
			return []string{"sh", "-c", `echo $$ >"$0"/cgroup.procs && exec "$@"`, dir}
		},
		"user": func(t *testing.T, most int) []string {
			if os.Getuid() != 0 {
				t.Skip("only root can become a user with few processes")
			}
			for _, name := range []string{"setpriv", "prlimit"} {
				if _, err := exec.LookPath(name); err != nil {
					t.Skip(err)
				}
			}
			return []string{"setpriv", "--reuid", "64321", "--clear-groups", "prlimit", fmt.Sprintf("--nproc=%d", most)}
		},
	} {
		for _, most := range []int{10, 14, 18, 22} {
			t.Run(fmt.Sprint(name, most), func(t *testing.T) {
				dir := openDir(t)
				words := append(within(t, most), procpoolFor(t, dir), "run", "--procs", "4", "--journal", "j", "1e6")
				j := start(t, dir, words[0], words[1:]...)
				if code := j.wait(); code != 1 || j.stdout.Len() > 0 {
					t.Errorf("exit code %d, it prints %q", code, &j.stdout)
				}
				expect(t, j.stderr.String(), fmt.Sprintf(`^procpool: (no worker|only [12] of 4 workers) can be started: of the %d processes and threads that .*(pids\.max|RLIMIT_NPROC \(ulimit -u\)) allows, \d+ are in use\n`+
					`hint: a worker takes about 7 processes and threads; raise the limit(, or use --procs [12])?\n$`, most))
				if _, err := os.Stat(filepath.Join(dir, "j")); err == nil {
					t.Error("it begins a journal")
				}
			})
		}
		// The number of workers that was not asked for is no more than fit.
		t.Run(name+"auto", func(t *testing.T) {
			dir := openDir(t)
			words := append(within(t, 24), procpoolFor(t, dir), "run", "1e6")
			j := start(t, dir, words[0], words[1:]...)
			if code := j.wait(); code != 0 || !strings.HasPrefix(j.result(), "PI is approximately 3.14159165358") {
				t.Errorf("exit code %d, it prints %q; stderr: %s", code, &j.stdout, &j.stderr)
			}
		})
	}
}

// openDir is a folder that every user may write to, on the way to which nobody is
// stopped.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "procpool")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// procpoolFor returns a copy of procpool in dir, for those who cannot reach the one
// that tests use.
func procpoolFor(t *testing.T, dir string) string {
	t.Helper()
	exe, err := exec.LookPath("procpool")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "procpool")
	if syscall.Link(exe, to) == nil {
		return to
	}
	if out, err := exec.Command("cp", exe, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// withinMounts runs a shell script in a namespace of mounts of its own, in a folder.
func withinMounts(t *testing.T, dir, script string, args ...string) *job {
	t.Helper()
	flags := "-m"
	if os.Getuid() != 0 {
		flags = "-rm"
	}
	if out, err := exec.Command("unshare", flags, "mount", "-t", "tmpfs", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot make a namespace of mounts: %v: %s", err, out)
	}
	return start(t, dir, "unshare", append([]string{flags, "sh", "-ec", script, "sh"}, args...)...)
}

// What a container or a chroot may lack costs nothing that a run needs, or a sentence
// says what is missing.
func TestBareSystems(t *testing.T) {
	exe, err := exec.LookPath("procpool")
	if err != nil {
		t.Fatal(err)
	}
	const pi = `^PI is approximately 3\.1405926538397946, Error is 0\.0009999997499985\n`
	const hide = "for name in $HIDE; do mount -t tmpfs -o ro none /$name; done; " // an empty folder in its place
	for name, c := range map[string]struct {
		script string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"no proc":              {`HIDE=proc; ` + hide + `exec "$@"`, []string{"run", "--procs", "2", "1000"}, 0, pi, `^$`},
		"no proc, bound":       {`HIDE=proc; ` + hide + `exec "$@"`, []string{"run", "--procs", "1", "--bind", "close", "1000"}, 0, pi[:20], `^$`},
		"no proc, in the path": {`HIDE=proc; ` + hide + `PATH=$(dirname "$1"):$PATH; shift; exec procpool "$@"`, []string{"run", "--procs", "2", "1000"}, 0, pi, `^$`},
		"no proc, a launcher":  {`HIDE=proc; ` + hide + `exec "$@"`, []string{"run", "--procs", "2", "--launcher", "nice", "1000"}, 0, pi, `^$`},
		"no proc, wrong name": {`HIDE=proc; ` + hide + `PATH=/bin:/usr/bin exec "$@"`, []string{"run", "--procs", "2", "1000"}, 1, `^$`,
			`^(procpool: (worker \d does not start, and is tried again with pauses: )?start a worker process: .*\n)+procpool: not shown: \d+ more lines? like these\nprocpool: no worker can be started \(\d+ tries\): start a worker process: the file of this program cannot be found: there is no /proc, and no program of the name "procpool" by which it was called .*\n$`},
		"no proc, doctor":      {`HIDE=proc; ` + hide + `exec "$@"`, []string{"doctor"}, 0, `(?s)warning +/proc cannot be read: quotas, memory and limits are not known\n +hint: `, `^$`},
		"no sys":               {`HIDE=sys; ` + hide + `exec "$@"`, []string{"run", "--procs", "2", "--bind", "close", "--verbose", "1000"}, 0, pi, `.`},
		"no devices":           {`HIDE=dev; ` + hide + `exec "$@"`, []string{"run", "--procs", "2", "1000"}, 0, pi, `^$`},
		"nothing":              {`HIDE="proc sys dev"; ` + hide + `PATH=$(dirname "$1"):$PATH; exec env -i PATH="$PATH" "$@"`, []string{"run", "--procs", "2", "1000"}, 0, pi, `^$`},
		"empty environment":    {`exec env -i "$@"`, []string{"run", "--procs", "2", "--task", "primes", "1000"}, 0, `^primes over \[0, 1000\) = 168\n`, `^$`},
		"read-only":            {`mount -o remount,bind,ro /; cd /; exec "$@"`, []string{"run", "--procs", "2", "1000"}, 0, pi, `^$`},
		"read-only, a journal": {`mount -o remount,bind,ro /; cd /; exec "$@"`, []string{"run", "--procs", "2", "--journal", "j", "1000"}, 2, `^$`, `^procpool: --journal j: read-only file system\n$`},
		"read-only, a trace":   {`mount -o remount,bind,ro /; cd /; exec "$@"`, []string{"run", "--procs", "2", "--trace", "j", "1000"}, 2, `^$`, `^procpool: --trace j: read-only file system\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			j := withinMounts(t, t.TempDir(), c.script, append([]string{exe}, c.args...)...)
			if code := j.wait(); code != c.code {
				t.Errorf("exit code %d, not %d", code, c.code)
			}
			expect(t, j.stdout.String(), c.stdout)
			expect(t, detectorWarning.ReplaceAllString(j.stderr.String(), ""), c.stderr)
		})
	}
}

// detectorWarning is what the race detector says where there is no /proc.
var detectorWarning = regexp.MustCompile(`(?m)^(\[.*\] )?==\d+==WARNING: reading executable name failed .*\n`)
