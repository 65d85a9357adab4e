package pool

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

// A launcher is Options.Launcher made ready: it knows every worker's command line.
type launcher struct {
	text     string // as it was asked for
	template template
	procs    int
	hosts    []string
	exe      string             // path of this program, here and where workers run
	cpus     []placement.CPUSet // for {cpu}: that of worker i is cpus[i%len(cpus)]
	settings []string           // further arguments of the worker
}

// newLauncher makes o's launcher, nil if there is none. o has its defaults.
// Its errors are *OptionsError.
func newLauncher(o Options) (*launcher, error) {
	if o.Launcher == "" {
		return nil, nil
	}
	l := &launcher{text: o.Launcher, procs: o.Procs, hosts: o.Hosts}
	if slices.ContainsFunc(o.Bind, func(s placement.CPUSet) bool { return !s.Empty() }) {
		l.cpus = o.Bind
	}
	var err error
	if l.template, err = parseTemplate(o.Launcher); err != nil {
		return nil, refuse("launcher %q: %v", o.Launcher, err)
	}
	if err := l.check(o); err != nil {
		return nil, err
	}
	if l.exe, err = programPath(); err != nil {
		return nil, err
	}
	if l.template.has("cpu") && len(l.cpus) == 0 {
		if l.cpus, err = closeCPUs(o); err != nil {
			return nil, refuse("launcher %q: {cpu}: %v", o.Launcher, err)
		}
	}
	for _, kv := range childEnv(os.Environ(), o) {
		if key, _, _ := strings.Cut(kv, "="); slices.Contains(carried[:], key) {
			l.settings = append(l.settings, kv)
		}
	}
	program := l.words(0)[0]
	if _, err := exec.LookPath(program); err != nil {
		return nil, refuse("launcher %q: there is no program %q to be run here", o.Launcher, program)
	}
	return l, nil
}

// carried are the variables that reach a worker as arguments, too, since a
// launcher such as ssh passes no environment on.
var carried = [...]string{"GOMAXPROCS", "GOMEMLIMIT", depthEnv}

// check refuses what a launcher cannot honour.
func (l *launcher) check(o Options) error {
	advised := func(reason, advice string) error {
		return &OptionsError{Reason: fmt.Sprintf("launcher %q: %s", l.text, reason), Advice: advice}
	}
	switch has := l.template.has; {
	case has("host") && len(l.hosts) == 0:
		return advised("{host} needs hosts", "name them: --hosts a,b")
	case !has("host") && len(l.hosts) > 0:
		return advised("there are hosts, but no {host} where they go", "for example 'ssh -T {host} {cmd}'")
	case !has("cpu") && len(l.cpus) > 0:
		return advised("it decides on which CPUs workers run, and has no {cpu} where theirs go", "for example 'taskset -c {cpu}'")
	case o.Heartbeat == 0:
		return advised("heartbeats cannot be off: without them a worker that a launcher has lost would be waited for, and would live, for ever", "choose a longer one instead")
	case o.MaxRSS > 0:
		return advised("the resident set of a worker behind it cannot be seen from here", "limit memory by the launcher: prlimit --data=SIZE, srun --mem=SIZE")
	}
	for _, h := range l.hosts {
		if h == "" || strings.HasPrefix(h, "-") || strings.ContainsAny(h, " \t\n[],") {
			return advised(fmt.Sprintf("%q is no name of a host", h), "hosts are single names; 'scontrol show hostnames' expands Slurm's lists")
		}
	}
	return nil
}

// programPath is the path by which others can start this program. Unlike
// /proc/self/exe it may lead to another program by now; the build that a worker
// tells in its hello shows that.
func programPath() (string, error) {
	exe, err := os.Executable()
	if err == nil {
		_, err = os.Stat(exe)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", refuse("a launcher starts this program by its file, %s, which does not exist any more", exe)
	}
	return exe, err
}

// closeCPUs deals the CPUs that this process may use out to the workers.
func closeCPUs(o Options) ([]placement.CPUSet, error) {
	system := placement.System{}
	mask, err := system.Mask()
	if err != nil {
		return nil, err
	}
	plan, err := placement.NewBinding(placement.BindingOptions{
		Bind: "close", Workers: o.Procs, Width: o.GOMAXPROCS, Mask: mask, Topology: system.Topology(),
	})
	return plan.CPUs, err
}

// words is the command line that launches worker i.
func (l *launcher) words(i int) []string {
	f := fill{rank: i, n: l.procs, exe: l.exe, args: append([]string{childArg, strconv.Itoa(i)}, l.settings...)}
	if len(l.hosts) > 0 {
		f.host = l.hosts[i%len(l.hosts)]
	}
	if len(l.cpus) > 0 {
		f.cpu = l.cpus[i%len(l.cpus)].String()
	}
	return l.template.expand(f)
}

// launcherLimits is how many workers a launcher starts where nobody said: one
// for each host, or else the tasks of the Slurm allocation that this process is
// part of. The CPUs of this machine say nothing about where a launcher leads to.
func launcherLimits(hosts []string) (placement.Limits, error) {
	found := placement.Limit{By: "hosts", Procs: len(hosts), Source: strings.Join(hosts, ",")}
	if len(hosts) == 0 {
		n, err := strconv.Atoi(os.Getenv("SLURM_NTASKS"))
		if os.Getenv("SLURM_JOB_ID") == "" || err != nil || n < 1 {
			return placement.Limits{}, &OptionsError{
				Reason: "with a launcher the number of workers must be said: this machine's CPUs are no measure of others",
				Advice: "name it with --procs N; in a Slurm allocation with -n, and with --hosts, it is known",
			}
		}
		found = placement.Limit{By: placement.BySlurm, Procs: n, Source: "SLURM_NTASKS"}
	}
	return placement.Limits{Procs: found.Procs, DecidedBy: found.By, All: []placement.Limit{found}}, nil
}

// LauncherNote is a remark on a launcher that will work only by luck, or "".
func LauncherNote(text string) string {
	words, err := splitWords(text)
	if err != nil || len(words) == 0 || filepath.Base(words[0]) != "ssh" {
		return ""
	}
	t, err := parseTemplate(text)
	if err != nil || t.has("cmd") || t.has("args") {
		return ""
	}
	return "ssh hands its words to a shell on the other side, which splits them again: end the launcher with {cmd}, which is quoted for it"
}

// slurmOutput are variables by which srun would change a worker's streams:
// label lines, read stdin from a file, and so on.
var slurmOutput = [...]string{"SLURM_LABELIO", "SLURM_STDINMODE", "SLURM_STDOUTMODE", "SLURM_STDERRMODE"}

// launcherEnv is environ without those.
func launcherEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return slices.Contains(slurmOutput[:], key)
	})
}
