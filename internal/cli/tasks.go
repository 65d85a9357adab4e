package cli

import (
	"bytes"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"procpool/task"
)

func tasksCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:        "tasks",
		Usage:       "list the built-in tasks",
		Description: "Lists the tasks that run, intervals and compare know: what each computes and what it stresses.\n\nexample: procpool tasks",
		Flags:       []cli.Flag{toggle(groupOutput, "json", "", "print one JSON object")},
		Action:      func(c *cli.Context) error { return tasks(c, e) },
	}
}

// A taskReport is an entry of what tasks --json prints.
type taskReport struct {
	Name     string `json:"name"`
	Computes string `json:"computes"`
	Stresses string `json:"stresses"`
	Grain    int64  `json:"grain"`
	Exact    bool   `json:"exact"`
	Version  string `json:"version"`
}

func tasks(c *cli.Context, e *env) error {
	if c.Args().Present() {
		return usage("tasks takes no arguments, but there is %q", c.Args().First())
	}
	var reports []taskReport
	for _, name := range taskNames() {
		s, _ := task.Lookup(name)
		reports = append(reports, taskReport{s.Name, s.Computes, s.Stresses, s.Grain, s.Exact, s.Version})
	}
	if c.Bool("json") {
		return printJSON(e.stdout, map[string]any{"tasks": reports})
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\tcomputes\t%s\n\tstresses\t%s\n", r.Name, r.Computes, r.Stresses)
		if r.Grain > 1 {
			fmt.Fprintf(w, "\tgrain\t%d\n", r.Grain)
		}
	}
	w.Flush()
	_, err := e.stdout.Write(b.Bytes())
	return writing("the tasks", err)
}
