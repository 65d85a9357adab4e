package cli

import (
	"bytes"
	"fmt"
	"text/tabwriter"

	"procpool/task"
)

func tasksCommand() *command {
	return &command{
		name:        "tasks",
		summary:     "list the built-in tasks",
		description: "Lists the tasks that run, intervals and compare know: what each computes and what it stresses.",
		example:     "procpool tasks",
		flags:       func() []flag { return []flag{toggle(groupOutput, "json", "", "print one JSON object")} },
		do:          tasks,
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

func tasks(c *call, e *env) error {
	if err := c.takesNothing(); err != nil {
		return err
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
