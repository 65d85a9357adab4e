package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"procpool/ipc"
	"procpool/parent"
	"procpool/parent/journal"
	"procpool/task"
)

func mergeCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "add up the journals of shares",
		ArgsUsage: "JOURNAL...",
		Description: "Adds up journals after proving that together they cover the input exactly once.\n" +
			"With --journal a merge of some of the shares is written to a journal again.\n\n" +
			"example: procpool merge share-*.journal",
		Flags: []cli.Flag{
			text(groupBatch, "journal", "", "", "write the merged chunks to `FILE`; the shares need not be complete then"),
			toggle(groupOutput, "json", "", "print one JSON object"),
		},
		Action: func(c *cli.Context) error { return merge(c, e) },
	}
}

// A mergeReport is the object that merge --json prints.
type mergeReport struct {
	Status   parent.Status `json:"status"`
	Task     string        `json:"task"`
	Interval ipc.Interval  `json:"interval"`
	Chunks   int64         `json:"chunks"`
	Done     int64         `json:"chunks_done"`
	Journals int           `json:"journals"`
	Value    number        `json:"value"`
}

func merge(c *cli.Context, e *env) error {
	paths := c.Args().Slice()
	if len(paths) == 0 {
		return usageHint("merge needs the journals of all shares", "procpool merge share-*.journal")
	}
	set, err := journal.Open(paths)
	if err != nil {
		return badInput(err)
	}
	spec, err := taskOf(set.Header())
	if err != nil {
		return err
	}
	if to := c.String("journal"); to != "" {
		if err := set.Write(to, ipc.Build(), &adder{spec: spec}); err != nil {
			return badInput(err)
		}
		if set.Complete() != nil {
			fmt.Fprintf(e.stderr, "procpool: %s holds %v\n", to, set.Status())
			return nil
		}
	}
	if err := set.Complete(); err != nil {
		return badInput(err)
	}
	fold := spec.NewFold(0)
	if err := set.Fold(func(_ ipc.Interval, partial []byte) error { return fold.AddEncoded(partial) }); err != nil {
		return err
	}
	if c.Bool("json") {
		status := set.Status()
		return printJSON(e.stdout, mergeReport{parent.Done, spec.Name, set.Header().Interval, status.Chunks, status.Done, len(paths), number{fold.Value()}})
	}
	_, err = io.WriteString(e.stdout, resultLine(spec, set.Header().Interval, fold.Value()))
	return writing("the result", err)
}

// An adder adds up encoded partials of a task.
type adder struct {
	spec *task.Spec
	fold task.Fold
}

func (a *adder) Add(partial []byte) error {
	if a.fold == nil {
		a.fold = a.spec.NewFold(0)
	}
	return a.fold.AddEncoded(partial)
}

func (a *adder) Take() (partial []byte, value json.RawMessage, err error) {
	partial, err = a.fold.AppendTotal(nil)
	value = jsonValue(a.fold.Value())
	a.fold = nil
	return partial, value, err
}

// taskOf finds the task of a journal in this program.
func taskOf(h journal.Header) (*task.Spec, error) {
	spec, err := findTask(h.Task)
	if err != nil {
		return nil, err
	}
	if spec.Version != h.TaskVersion || !spec.Sums() {
		return nil, usage("the journals are of version %s of %s, this program has version %s", h.TaskVersion, h.Task, spec.Version)
	}
	return spec, nil
}
