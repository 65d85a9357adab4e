package parent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"procpool/placement"
)

// A Launcher makes the command lines that start workers through another program: a
// wrapper such as "nice" or "taskset -c {cpu}", or a program that reaches another
// machine, such as "srun -Q -n1 -N1 --exact" or "ssh -T {host} {cmd}".
type Launcher struct {
	text     string // as the user wrote it
	template template
	workers  int
	hosts    []string
	exe      string             // path of the workers' program, the same on every machine
	args     []string           // arguments of a worker of another program; nil = those of this program's workers
	cpus     []placement.CPUSet // for {cpu}: worker i has cpus[i%len(cpus)]
	settings []string           // "key=value" arguments of the worker, see carried
}

// A LauncherConfig has the settings of a Launcher.
type LauncherConfig struct {
	Text    string             // its command line, see pool.Options.Launcher
	Workers int                // for {n}
	Hosts   []string           // for {host}, in turn
	Program []string           // command line of workers of another program; nil = this program
	Bind    []placement.CPUSet // for {cpu}; without one this process's CPUs are dealt out, Width to each worker
	Width   int
	Env     []string // of workers: what not every launcher carries is passed on in arguments
}

// A LauncherError says why a launcher cannot be used.
type LauncherError struct {
	Text   string // of the launcher
	Reason string
	Advice string // what to do about it; may be empty
}

func (e *LauncherError) Error() string { return fmt.Sprintf("launcher %q: %s", e.Text, e.Reason) }

// NewLauncher returns a Launcher. Its error is a *LauncherError or one of the system.
func NewLauncher(c LauncherConfig) (*Launcher, error) {
	l := &Launcher{text: c.Text, workers: c.Workers, hosts: c.Hosts}
	if slices.ContainsFunc(c.Bind, func(s placement.CPUSet) bool { return !s.Empty() }) {
		l.cpus = c.Bind
	}
	var err error
	if l.template, err = parseTemplate(c.Text); err != nil {
		return nil, l.refuse("", "%v", err)
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if c.Program != nil {
		l.exe, l.args = c.Program[0], c.Program[1:]
	} else if l.exe, err = l.programPath(); err != nil {
		return nil, err
	}
	if l.template.has("cpu") && len(l.cpus) == 0 {
		if l.cpus, err = closeCPUs(c.Workers, c.Width); err != nil {
			return nil, l.refuse("", "{cpu}: %v", err)
		}
	}
	for _, kv := range c.Env {
		if key, _, _ := strings.Cut(kv, "="); slices.Contains(carried[:], key) {
			l.settings = append(l.settings, kv)
		}
	}
	program := l.words(0)[0]
	if _, err := exec.LookPath(program); err != nil {
		return nil, l.refuse("", "there is no program %q to be run here", program)
	}
	return l, nil
}

func (l *Launcher) refuse(advice, format string, args ...any) error {
	return &LauncherError{Text: l.text, Reason: fmt.Sprintf(format, args...), Advice: advice}
}

// carried lists the variables that a worker gets as arguments too, because a launcher
// such as ssh passes no environment on.
var carried = [...]string{"GOMAXPROCS", "GOMEMLIMIT", depthEnv, siblingsEnv}

// check refuses a placeholder without values for it, and values without the placeholder.
func (l *Launcher) check() error {
	switch has := l.template.has; {
	case has("host") && len(l.hosts) == 0:
		return l.refuse("name them: --hosts a,b", "{host} needs hosts")
	case !has("host") && len(l.hosts) > 0:
		return l.refuse("for example 'ssh -T {host} {cmd}'", "hosts need a {host} in it")
	case !has("cpu") && len(l.cpus) > 0:
		return l.refuse("for example 'taskset -c {cpu}'", "a binding needs a {cpu} in it, because the launcher decides on which CPUs workers run")
	}
	for _, h := range l.hosts {
		if strings.Trim(h, hostChars) != "" || h == "" || h[0] == '-' {
			return l.refuse("hosts are single names; 'scontrol show hostnames' expands Slurm's lists", "invalid host name %q", h)
		}
	}
	return nil
}

// hostChars are the characters that a host name may have, as in user@fe80::1%eth0. Others
// are refused, because a launcher may pass the name to a shell.
const hostChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@%-"

// programPath returns the path by which a launcher can start this program.
func (l *Launcher) programPath() (string, error) {
	exe, err := programFile()
	if err != nil {
		return "", l.refuse("", "%v", err)
	}
	if _, err = os.Stat(exe); errors.Is(err, fs.ErrNotExist) {
		return "", l.refuse("", "it starts this program by its file, %s, which does not exist any more", exe)
	}
	return exe, err
}

// closeCPUs divides the CPUs that this process may use among the workers, width for each.
func closeCPUs(workers, width int) ([]placement.CPUSet, error) {
	system := placement.System{}
	mask, err := system.Mask()
	if err != nil {
		return nil, err
	}
	plan, err := placement.NewBinding(placement.BindingOptions{
		Bind: "close", Workers: workers, Width: width, Mask: mask, Topology: system.Topology(),
	})
	return plan.CPUs, err
}

// words returns the command line that launches worker i.
func (l *Launcher) words(i int) []string {
	f := fill{rank: i, n: l.workers, host: l.host(i), exe: l.exe, args: l.args}
	if f.args == nil {
		f.args = append([]string{childArg, strconv.Itoa(i)}, l.settings...)
	}
	if len(l.cpus) > 0 {
		f.cpu = l.cpus[i%len(l.cpus)].String()
	}
	return l.template.expand(f)
}

// host returns the host for worker i; "" if there are none.
func (l *Launcher) host(i int) string {
	if len(l.hosts) == 0 {
		return ""
	}
	return l.hosts[i%len(l.hosts)]
}

// LauncherNote returns a warning for launchers that usually fail (ssh without
// {cmd}), or "".
func LauncherNote(text string) string {
	words, err := SplitWords(text)
	if err != nil || filepath.Base(words[0]) != "ssh" {
		return ""
	}
	t, err := parseTemplate(text)
	if err != nil || t.has("cmd") || t.has("args") {
		return ""
	}
	return "ssh hands its words to a shell on the other side, which splits them again: end the launcher with {cmd}, which is quoted for it"
}

// slurmOutput lists variables that make srun change a worker's streams, for example
// label its lines or read its stdin from a file.
var slurmOutput = [...]string{"SLURM_LABELIO", "SLURM_STDINMODE", "SLURM_STDOUTMODE", "SLURM_STDERRMODE"}

// launcherEnv returns environ without slurmOutput, and with a setting that keeps ssh from
// asking for a password in a window, which in a batch job nobody sees.
func launcherEnv(environ []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return slices.Contains(slurmOutput[:], key) || key == askpass
	})
	return append(kept, askpass+"=never")
}

const askpass = "SSH_ASKPASS_REQUIRE"
