package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/urfave/cli/v2"

	"procpool/internal/command"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
	"procpool/task"
)

// A mergeCommand is one call of merge.
type mergeCommand struct {
	*program
	journal string // to write the merged chunks to, or ""
	from    string // a file with the names of the journals, or ""
	json    bool
}

func (p *program) mergeCommand() *cli.Command {
	m := &mergeCommand{program: p}
	return &cli.Command{
		Name: "merge", ArgsUsage: "JOURNAL...",
		Usage: "add up the journals of shares",
		Description: "Adds up journals after proving that together they cover the input exactly once. " +
			"With --journal it writes the merged chunks to another journal, also when shares are missing.",
		UsageText: p.Name + " merge share-*.journal",
		Flags: []cli.Flag{
			&cli.PathFlag{Category: categoryBatch, Name: "journal", Destination: &m.journal, Usage: "write the merged chunks to `FILE`; the shares need not be complete then"},
			filesFlag(&m.from),
			jsonFlag(&m.json, "print one JSON object; when the merge fails, it has every reason"),
			quietFlag(p),
		},
		Action: m.merge,
	}
}

// A mergeReport is the object that merge --json prints, also when the merge fails. Problems
// then lists every reason; the message on stderr names the first.
type mergeReport struct {
	Status   string            `json:"status"` // done, incomplete or failed
	Failure  string            `json:"failure,omitempty"`
	Problems []journal.Problem `json:"problems,omitempty"`
	Task     string            `json:"task"`
	Interval ipc.Interval      `json:"interval"`
	Chunks   int64             `json:"chunks"`
	Done     int64             `json:"chunks_done"`
	Journals int               `json:"journals"`
	Value    resultValue       `json:"value"`
	Error    *resultValue      `json:"error,omitempty"` // of an approximation of pi
}

func (m *mergeCommand) merge(c *cli.Context) error {
	m.signals.cuts()
	paths, err := m.journalNames(c, m.from)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return usageHint("merge needs the journals of all shares", m.Name+" merge share-*.journal")
	}
	r := mergeReport{Status: "failed", Journals: len(paths)}
	spec, err := r.add(c.Context, m, paths)
	err = m.signals.ended(err)
	if m.json {
		if err == nil && r.Status == string(pool.Done) {
			r.Error = m.errorOf(spec, r.Interval, r.Interval.String(), r.Value.v)
		}
		if err != nil {
			r.Failure = text.OneLine(err.Error())
		}
		return errors.Join(err, m.printJSON(r))
	}
	switch {
	case err != nil:
		return err
	case r.Status == "incomplete":
		m.note("journal %s holds %d of %d chunks", m.journal, r.Done, r.Chunks)
		return nil
	}
	return m.print("the result", m.resultLine(spec, r.Interval, r.Interval.String(), r.Value.v))
}

// add adds up the journals, into another one if it is asked for.
func (r *mergeReport) add(ctx context.Context, m *mergeCommand, paths []string) (*task.Spec, error) {
	set, err := journal.Open(ctx, paths)
	if err != nil {
		return nil, r.refused(err)
	}
	status := set.Coverage()
	r.Task, r.Interval, r.Chunks, r.Done = set.Header().Task, set.Header().Interval, status.Chunks, status.Done
	spec, err := taskOf(set.Header())
	if err != nil {
		return nil, err
	}
	if set.Complete() == nil { // else they are among the reasons
		m.noteDamage(set.Damage(), "another line has its chunk")
	}
	if m.journal != "" {
		if err := set.Write(ctx, m.journal, ipc.Build(), &adder{spec: spec}); err != nil {
			return nil, journalError(err)
		}
		if !status.Complete() {
			r.Status = "incomplete"
			return spec, nil
		}
	}
	if err := set.Complete(); err != nil {
		return nil, r.refused(err)
	}
	value, err := m.addUp(ctx, set, spec, !m.json)
	if err != nil {
		return nil, err
	}
	r.Status, r.Value = string(pool.Done), resultValue{value}
	return spec, nil
}

// addUp returns the sum of journals. If show is set it prints the outputs of --reduce
// concat instead, which have no sum.
func (p *program) addUp(ctx context.Context, set *journal.Set, spec *task.Spec, show bool) (any, error) {
	fold := spec.NewFold()
	add := func(_ ipc.Interval, partial []byte) error { return fold.AddEncoded(partial) }
	if show && set.Header().Reduce == command.Concat {
		add = p.printOutput
	}
	if err := set.Fold(ctx, add); err != nil {
		return nil, err
	}
	value := fold.Value()
	if output, ok := value.(command.Partial); ok {
		return value, output.Check()
	}
	return value, nil
}

// refused stores all reasons why the journals do not add up, for --json.
func (r *mergeReport) refused(err error) error {
	var problems *journal.MergeError
	if errors.As(err, &problems) {
		r.Problems = problems.Problems
	}
	return journalError(err)
}

// An adder adds up encoded partials of a task.
type adder struct {
	spec *task.Spec
	fold task.Fold
}

func (a *adder) Add(partial []byte) error {
	if a.fold == nil {
		a.fold = a.spec.NewFold()
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
	if h.Foreign {
		return task.Foreign(h.Task, ipc.About{Version: h.TaskVersion, Grain: h.Grain, Exact: h.Exact}), nil
	}
	if h.Command != "" {
		return commandSpec(h.Exact), nil
	}
	spec, err := findTask(h.Task)
	if err != nil {
		return nil, err
	}
	if spec.Version != h.TaskVersion || !spec.Sums() {
		return nil, usage("the journals were computed by version %s of task %s, and this program has version %s", h.TaskVersion, h.Task, spec.Version)
	}
	return spec, nil
}
