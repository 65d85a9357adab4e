package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"procpool/task"
)

func (p *program) tasksCommand() *cli.Command {
	asJSON := false
	return &cli.Command{
		Name:        "tasks",
		Usage:       "list the tasks",
		Description: "Lists the tasks that run, intervals and compare know: what each computes and what it stresses.",
		UsageText:   p.Name + " tasks",
		Flags:       []cli.Flag{jsonFlag(&asJSON, "print one JSON object")},
		Before:      takesNothing,
		Action:      func(*cli.Context) error { return p.tasks(asJSON) },
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

func (p *program) tasks(asJSON bool) error {
	var reports []taskReport
	for _, name := range taskNames() {
		s, _ := task.Lookup(name)
		reports = append(reports, taskReport{s.Name, s.Computes, s.Stresses, s.Grain, s.Exact, s.Version})
	}
	if asJSON {
		return p.printJSON(map[string]any{"tasks": reports})
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\tcomputes\t%s\n\tstresses\t%s\n", r.Name, r.Computes, r.Stresses)
		if r.Grain > 1 {
			fmt.Fprintf(w, "\tgrain\t%d\n", r.Grain)
		}
	}
	w.Flush()
	return p.print("the tasks", b.String())
}
