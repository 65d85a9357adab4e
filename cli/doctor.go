package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"procpool/journal"
	"procpool/parent"
	"procpool/placement"
	"procpool/pool"
)

// A doctorCommand is one call of doctor.
type doctorCommand struct {
	*program
	options pool.Options // of a worker to be tried
	task    string       // of such a worker of another program; "" is its first
	json    bool
}

func (p *program) doctorCommand() *cli.Command {
	d := &doctorCommand{program: p}
	return &cli.Command{
		Name:  "doctor",
		Usage: "show which CPUs, quotas and limits apply here, and whether a launcher works",
		Description: "Shows what this process was given: CPUs, quotas, scheduler variables, topology and memory, which of them decides the number of workers, and what looks wrong. " +
			"With --worker it checks instead whether a program speaks the protocol of a worker. With --launcher it starts a worker on each of --hosts, measures one of them, and reports what fails.",
		UsageText: p.Name + " doctor --launcher 'ssh -T {host} {cmd}' --hosts a",
		Flags: append(launcherFlags(&d.options),
			procsFlag(newValue(&d.options.Procs, "auto", readProcs).offering("auto"), "check the limits for `N` workers"),
			workerFlag(&d.options.Worker, "start `'CMD ARGS'` as a worker, and check that it speaks the protocol"),
			&cli.StringFlag{Category: categoryWhat, Name: "task", Aliases: []string{"t"}, Destination: &d.task, Usage: "ask --worker for task `NAME`, over one grain of indices; without it, for its first task"},
			jsonFlag(&d.json, "print one JSON object")),
		Before: takesNothing, Action: d.examine,
	}
}

func (d *doctorCommand) examine(c *cli.Context) error {
	switch {
	case d.options.Worker != nil:
		return d.tryWorker(c)
	case c.IsSet("task"):
		return usage("--task needs --worker: it names the task to ask the worker for")
	}
	found := placement.System{}.Doctor(d.options.Procs)
	if d.Kernel != nil {
		found.NumericKernel = d.Kernel()
	}
	showShare(&found, os.Getenv)
	if err := launcherGiven(c, d.options); err != nil {
		return err
	}
	var failed error
	if d.options.Launcher != "" {
		d.signals.drains() // a launcher takes its time to end
		defer d.signals.dies()
		ctx, cancel := d.signals.untilAsked()
		defer cancel()
		var err error
		if found.Launcher, failed, err = tryLauncher(ctx, d.options); err != nil {
			return err
		}
	}
	if d.json {
		if err := d.printJSON(found); err != nil {
			return err
		}
		return failed
	}
	var b strings.Builder
	if err := found.WriteText(&b); err != nil {
		return err
	}
	if err := d.print("the report", b.String()); err != nil {
		return err
	}
	return failed
}

// showShare adds the share of --share auto, and the variables that tell it.
func showShare(found *placement.Doctor, getenv func(string) string) {
	share, by, err := journal.AutoShare(getenv)
	switch {
	case err == nil:
		found.Share = fmt.Sprintf("%v by %s", share, by)
	case !errors.Is(err, journal.ErrNoShare):
		found.Share = "not known: " + err.Error()
	}
	for _, name := range journal.ShareVariables() {
		known := slices.ContainsFunc(found.Variables, func(v placement.Variable) bool { return v.Name == name })
		if value := getenv(name); value != "" && !known {
			found.Variables = append(found.Variables, placement.Variable{Name: name, Value: value})
		}
	}
}

// tryLauncher starts workers through the launcher, one on each host, measures one of
// them, and returns what doctor prints of it. failed says what is wrong with the
// launcher, err what is wrong in the flags.
func tryLauncher(ctx context.Context, o pool.Options) (lines []string, failed, err error) {
	var away error
	hosts := slices.Compact(slices.Sorted(slices.Values(o.Hosts)))
	if len(hosts) > 1 {
		if lines, hosts, away = probeHosts(ctx, o, hosts); len(hosts) > 0 {
			o.Hosts = hosts[:1]
		}
	}
	var p *probe
	if err = away; len(hosts) > 0 || away == nil {
		p, err = probeLauncher(ctx, o, true)
	}
	var refused *pool.OptionsError
	switch {
	case errors.As(err, &refused), errors.Is(err, context.Canceled):
		return nil, nil, err
	case err != nil:
		lines = append(lines, "does not work: "+o.Launcher)
	default:
		lines = append(lines, p.lines()...)
	}
	if err = cmp.Or(err, away); err != nil {
		failed = &failure{code: exitFailed, err: err, hint: launcherHint(err)}
	}
	if note := parent.LauncherNote(o.Launcher); note != "" {
		lines = append(lines, "note: "+note)
	}
	return lines, failed, nil
}

// tryWorker talks to a worker of another program, and prints what it found.
func (d *doctorCommand) tryWorker(c *cli.Context) error {
	for _, name := range []string{"launcher", "hosts", "procs"} {
		if c.IsSet(name) {
			return usageHint(fmt.Sprintf("--%s cannot be used with --worker: doctor starts one worker, here", name), "to reach another host, make ssh part of the command: --worker 'ssh -T HOST python3 worker.py'")
		}
	}
	t := &conformance{program: d.options.Worker, task: d.task, limit: cmp.Or(d.options.StartupTimeout, pool.DefaultStartupTimeout), stderr: d.Stderr}
	found, err := t.run(c.Context)
	if err != nil {
		return err
	}
	var failed error
	text := ""
	for _, f := range found {
		if f.Problem == "" {
			text += "ok      " + f.Check + "\n"
			continue
		}
		text += "FAILED  " + f.Check + "\n"
		failed = &failure{code: exitFailed, err: fmt.Errorf("the worker fails the check %q: %s", f.Check, f.Problem), hint: "docs/wire.md says what a worker must do"}
	}
	if !d.json {
		return cmp.Or(d.print("the report", text), failed)
	}
	return cmp.Or(d.printJSON(struct {
		Worker []string  `json:"worker"`
		Task   string    `json:"task"`
		Checks []finding `json:"checks"`
	}{t.program, t.task, found}), failed)
}
