package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"procpool/compare"
	"procpool/compare/report"
)

func compareCommand() *command {
	return &command{
		name:        "compare",
		summary:     "find out whether processes or goroutines win, by how much, and why",
		args:        "[TASK...]",
		operands:    taskNames,
		description: `Runs the same tasks, cut the same way, serially, on goroutines and in processes: in rounds in which each runs once, in an order that is balanced and drawn anew, so that what slows a whole round down cancels. Without TASK it takes the standard ones; null always runs, as the floor. Verdicts are faster, slower, equivalent and unresolved; a control compares identical code in the same rounds and weakens them when it fails. Results must agree to the bit. The first signal ends it with a report of the rounds that are complete.`,
		example:     `procpool compare --workers 1,2 --max-time 1m --export-html report.html alloc`,
		flags:       compareFlags,
		do:          comparison,
	}
}

// A comparing is one experiment on its way from flags to output.
type comparing struct {
	*env
	options  compare.Experiment
	pools    compare.Pools
	exports  []export
	expected []compare.Expectation
	progress *progress
	signal   os.Signal // that cut it short
}

func comparison(c *call, e *env) error {
	m := &comparing{env: e}
	var err error
	if m.exports, err = readExports(c); err != nil {
		return err
	}
	if m.expected, err = readExpectations(c); err != nil {
		return err
	}
	if path := c.String("from"); c.IsSet("from") {
		rec, err := m.read(c, path)
		if err != nil {
			return err
		}
		return m.finish(rec, nil)
	}
	if err := m.readCompare(c); err != nil {
		return err
	}
	if m.progress, err = readProgress(c, e); err != nil {
		return err
	}
	if err := enoughFiles(); err != nil {
		return err
	}
	rec, err := m.measure(context.Background())
	if m.options.PlanOnly && err == nil {
		return e.print("the plan", planText(&rec.Plan))
	}
	return m.finish(rec, err)
}

func (m *comparing) read(c *call, path string) (rec compare.Record, err error) {
	if err := onlyRenders(c); err != nil {
		return rec, err
	}
	file, err := os.Open(path)
	if err != nil {
		return rec, badInput(fmt.Errorf("--from: %w", err))
	}
	defer file.Close()
	if rec, err = report.Read(file); err != nil {
		return rec, badInput(fmt.Errorf("--from %s: %w", path, err))
	}
	return rec, nil
}

// measure runs the experiment until it is done or a signal ends it.
func (m *comparing) measure(ctx context.Context) (compare.Record, error) {
	signals := newWatch(ctx)
	defer signals.release()
	ctx, cancel := context.WithCancel(signals.ctx)
	defer cancel()
	go func() {
		select {
		case <-signals.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	signals.listen()
	m.pools.Stderr = m.progress.guard(m.stderr)
	m.progress.start(0)
	rec, err := compare.Do(ctx, m.options, m.pools, m.show)
	m.progress.end()
	if err != nil && signals.explains(err) {
		m.signal = signals.first()
	}
	return rec, err
}

// show tells how far the experiment is, and at its time the plan.
func (m *comparing) show(p compare.Progress) {
	switch p.Stage {
	case compare.StageFloor, compare.StageCalibrate, compare.StageWarmUp:
		m.progress.tell(fmt.Sprintf("%s: %v", p.Stage, p.Cell))
	case compare.StagePlan:
		if !m.options.PlanOnly {
			m.progress.say("%s", strings.TrimSuffix(planText(p.Plan), "\n"))
		}
	case compare.StageMeasure:
		text := fmt.Sprintf("round %d (%d to %d)", p.Round+1, p.Plan.Rounds[0], p.Plan.Rounds[1])
		if p.ETA > 0 {
			text += fmt.Sprintf(", at least %v more", p.ETA.Round(time.Second))
		}
		m.progress.tell(fmt.Sprintf("%s: %v, %d of %d tasks not yet precise", text, p.Cell, p.Active, len(p.Plan.Tasks)-1))
	}
}

// planText is what is going to be done, and how long that will take.
func planText(p *compare.Plan) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "plan: %d cells in %d to %d rounds of about %.3g s each, so at least %.3g s; the budget is %.4g s; seed %d\n",
		len(p.Cells), p.Rounds[0], p.Rounds[1], p.Round, p.ETA, p.MaxSeconds, p.Seed)
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, t := range p.Tasks {
		if t.SerialSeconds > 0 {
			fmt.Fprintf(w, "  %s\t%d indices\tin %d chunks\t%.3g s serially\n", t.Name, t.Size, t.Chunks, t.SerialSeconds)
		}
	}
	w.Flush()
	for _, s := range p.Skipped {
		fmt.Fprintf(&b, "  left out: %s\n", s.Reason)
	}
	return b.String()
}

// finish shows and exports what there is, and returns how it ended.
func (m *comparing) finish(rec compare.Record, ended error) error {
	failed := m.failure(rec, ended)
	if len(rec.Order) == 0 && failed != nil {
		return failed // there is nothing to show
	}
	var unwritten error // one that cannot be written costs none of the others
	for _, x := range m.exports {
		unwritten = errors.Join(unwritten, x.write(rec, m.stdout))
	}
	if !onStdout(m.exports) {
		unwritten = errors.Join(unwritten, m.table(rec))
	}
	if err := cmp.Or(failed, unwritten); err != nil {
		return err
	}
	return m.check(rec)
}

// table prints the report for people.
func (m *comparing) table(rec compare.Record) error {
	var o report.TextOptions
	if isTerminal(m.stdout) {
		o.Color = report.WantColor(true, os.Getenv)
		o.Width = columns(m.stdout)
	}
	var b bytes.Buffer
	if err := report.Text(&b, rec, o); err != nil {
		return err
	}
	return m.print("the report", b.String())
}

// failure is how the experiment ended, as the command's error.
func (m *comparing) failure(rec compare.Record, err error) error {
	var plan *compare.PlanError
	var differ *compare.DifferError
	rounds := fmt.Sprintf("%d rounds are complete", len(rec.Order))
	switch {
	case err == nil && rec.Status == compare.Differ: // rendered again
		return &failure{code: exitDiffer, err: errors.New("results differ between backends")}
	case err == nil:
		return nil
	case errors.As(err, &plan):
		if len(plan.Plan.Tasks) > 0 && plan.Plan.Round > 0 {
			io.WriteString(m.stderr, planText(&plan.Plan))
		}
		return &failure{code: exitUsage, err: err, hint: plan.Hint}
	case errors.As(err, &differ):
		return &failure{code: exitDiffer, err: err, hint: "the value of a task may depend on its interval alone"}
	case m.signal != nil:
		return &failure{code: exitSignal + signalNumber(m.signal), err: fmt.Errorf("ended by %s: %s", signalName(m.signal), rounds)}
	}
	return fmt.Errorf("%w (%s)", err, rounds)
}

// check holds the record against --expect.
func (m *comparing) check(rec compare.Record) error {
	var broken []string
	for _, c := range compare.CheckAll(rec, m.expected) {
		line := fmt.Sprintf("%s: %s", c.Text, c.Answer)
		if c.Reason != "" {
			line += ", " + c.Reason
		}
		fmt.Fprintf(m.stderr, "procpool: expected %s\n", oneLine(line))
		if c.Answer != compare.Met {
			broken = append(broken, c.Text)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return &failure{code: exitExpect, err: fmt.Errorf("not shown to hold: %s", strings.Join(broken, "; "))}
}
