package cli

import (
	"bytes"
	"context"
	"errors"

	"procpool/parent"
	"procpool/placement"
	"procpool/pool"
)

func doctorCommand() *command {
	return &command{
		name:        "doctor",
		summary:     "say which CPUs, quotas and limits apply here, and whether a launcher works",
		description: "Shows what this process was given: CPUs, quotas, scheduler variables, topology and memory, which of them decides the number of workers, and what looks wrong. With --launcher one worker is started by it and measured, or what is wrong is said.",
		example:     "procpool doctor --launcher 'ssh -T {host} {cmd}' --hosts a",
		flags: func() []flag {
			return []flag{
				text(groupWhere, "procs", "n", "auto", "number of workers to judge, `N`"),
				launcherFlag(), hostsFlag(),
				text(groupLimits, "startup-timeout", "", "60s", "time for the launched worker to say hello, `D`"),
				toggle(groupOutput, "json", "", "print one JSON object"),
			}
		},
		do: doctor,
	}
}

func doctor(c *call, e *env) error {
	if err := c.takesNothing(); err != nil {
		return err
	}
	procs, err := readProcs(c)
	if err != nil {
		return err
	}
	d := placement.System{}.Doctor(procs)
	d.NumericKernel = e.kernel()
	failed, err := examineLauncher(c, &d.Launcher)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(e.stdout, d); err != nil {
			return err
		}
		return failed
	}
	var b bytes.Buffer
	if err := d.WriteText(&b); err != nil {
		return err
	}
	if _, err = e.stdout.Write(b.Bytes()); err != nil {
		return writing("the report", err)
	}
	return failed
}

// examineLauncher tries the launcher, if there is one. failed is what is wrong
// with it; err is a mistake in the flags.
func examineLauncher(c *call, lines *[]string) (failed, err error) {
	var o pool.Options
	if err := readLauncher(c, &o); err != nil || o.Launcher == "" {
		return nil, err
	}
	if o.StartupTimeout, err = parseDuration("--startup-timeout", c.String("startup-timeout")); err != nil {
		return nil, err
	}
	p, err := probeLauncher(context.Background(), o)
	var refused *pool.OptionsError
	switch {
	case errors.As(err, &refused):
		return nil, err
	case err != nil:
		*lines = []string{"does not work: " + o.Launcher}
		failed = &failure{code: exitFailed, err: err, hint: launcherHint(err)}
	default:
		*lines = p.lines()
	}
	if note := parent.LauncherNote(o.Launcher); note != "" {
		*lines = append(*lines, "note: "+note)
	}
	return failed, nil
}
