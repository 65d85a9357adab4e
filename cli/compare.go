package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/compare"
	"procpool/compare/report"
	"procpool/internal/terminal"
	"procpool/internal/text"
	"procpool/task"
)

// A compareCommand is one experiment, from its flags to its output.
type compareCommand struct {
	*program
	options  compare.Experiment
	pools    compare.Pools
	tasks    []*task.Spec // of --task
	size     int64        // 0: calibrated
	expected []compare.Expectation
	exports  []export
	json     bool

	from, showProgress string

	progress *progress
	signal   os.Signal // that cut it short
}

func (p *program) compareCommand() *cli.Command {
	m := &compareCommand{program: p}
	return &cli.Command{
		Name: "compare", ArgsUsage: "[TASK...]",
		Usage:       "find out whether processes or goroutines win, by how much, and why",
		Description: compareAbout,
		UsageText:   p.Name + " compare --max-time 1m --export-html report.html",
		Flags:       m.flags(), Before: m.prepare, Action: m.run,
	}
}

const compareAbout = `Runs the same tasks, cut the same way, serially, on goroutines and in processes. They run in rounds in which each runs once, in an order that is balanced and drawn anew, so that what slows a whole round down cancels. Without TASK it takes the standard ones, or all where the program does not have these; null always runs, as the floor. Verdicts are faster, slower, equivalent and unresolved. Each round also runs identical code twice; a difference no larger than the one seen there is reported as unresolved. Results must agree to the bit. The first signal ends it with a report of the rounds that are complete.`

// prepare checks all that was asked for before anything is run.
func (m *compareCommand) prepare(c *cli.Context) (err error) {
	if m.exports, err = readExports(c, m.json); err != nil {
		return err
	}
	if c.IsSet("from") {
		return m.onlyRenders(c)
	}
	if err := m.readOptions(c); err != nil {
		return err
	}
	m.progress = m.newProgress(m.showProgress)
	return enoughFiles()
}

func (m *compareCommand) run(c *cli.Context) error {
	if c.IsSet("from") {
		rec, err := m.read()
		if err != nil {
			return err
		}
		return m.finish(rec, nil)
	}
	rec, err := m.measure()
	if m.options.PlanOnly && err == nil {
		return m.print("the plan", planText(&rec.Plan))
	}
	return m.finish(rec, err)
}

// read reads the record that --from names.
func (m *compareCommand) read() (rec compare.Record, err error) {
	file, err := os.Open(m.from)
	if err != nil {
		return rec, badInput(fmt.Errorf("--from: %w", err))
	}
	defer file.Close()
	if rec, err = report.Read(file); err != nil {
		return rec, badInput(fmt.Errorf("--from %s: %w", m.from, err))
	}
	return rec, nil
}

// measure runs the experiment until it is done or a signal ends it.
func (m *compareCommand) measure() (compare.Record, error) {
	m.signals.drains()
	defer m.signals.dies()
	ctx, cancel := m.signals.untilAsked()
	defer cancel()
	m.pools.Stderr = m.progress.guard(m.Stderr)
	m.progress.start(0, 0)
	rec, err := compare.Do(ctx, m.options, m.pools, m.show)
	m.progress.end()
	if err != nil && m.signals.explains(err) {
		m.signal = m.signals.first()
	}
	return rec, err
}

// show prints the plan once it is made, and how far the experiment is.
func (m *compareCommand) show(p compare.Progress) {
	switch p.Stage {
	case compare.StageFloor, compare.StageCalibrate, compare.StageWarmUp:
		m.progress.set(fmt.Sprintf("%s: %v", p.Stage, p.Cell))
	case compare.StagePlan:
		if !m.options.PlanOnly {
			m.progress.say(strings.TrimSuffix(planText(p.Plan), "\n"))
		}
	case compare.StageMeasure:
		text := fmt.Sprintf("round %d (%d to %d)", p.Round+1, p.Plan.Rounds[0], p.Plan.Rounds[1])
		if p.ETA > 0 {
			text += fmt.Sprintf(", at least %v more", p.ETA.Round(time.Second))
		}
		m.progress.set(fmt.Sprintf("%s: %v, %d of %d tasks not yet precise", text, p.Cell, p.Active, len(p.Plan.Tasks)-1))
	}
}

// planText prints what is going to be run, and how long that will take.
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

// finish prints and exports the record, and returns how the experiment ended.
func (m *compareCommand) finish(rec compare.Record, ended error) error {
	failed := m.failure(rec, ended)
	if len(rec.Order) == 0 && failed != nil {
		return failed // there is nothing to show
	}
	var unwritten error // if one cannot be written, the others still are
	for _, x := range m.exports {
		unwritten = errors.Join(unwritten, m.export(x, rec))
	}
	if !slices.ContainsFunc(m.exports, export.toStdout) {
		unwritten = errors.Join(unwritten, m.table(rec))
	}
	if err := cmp.Or(failed, unwritten); err != nil {
		return err
	}
	return m.check(rec)
}

// table prints the report for people.
func (m *compareCommand) table(rec compare.Record) error {
	var o report.TextOptions
	if terminal.Is(m.Stdout) {
		o.Color = report.WantColor(true, os.Getenv)
		o.Width = terminal.Columns(m.Stdout)
	}
	var b bytes.Buffer
	if err := report.Text(&b, rec, o); err != nil {
		return err
	}
	return m.print("the report", b.String())
}

// failure returns how the experiment ended, as the command's error.
func (m *compareCommand) failure(rec compare.Record, err error) error {
	var plan *compare.PlanError
	var differ *compare.DifferError
	rounds := fmt.Sprintf("%d rounds are complete", len(rec.Order))
	switch {
	case err == nil && rec.Status == compare.Differ: // rendered again
		return &failure{code: exitDiffer, err: errors.New("results differ between backends")}
	case err == nil:
		return nil
	case errors.As(err, &plan):
		if len(plan.Plan.Tasks) > 0 && plan.Plan.Round > 0 && !m.quiet {
			io.WriteString(m.Stderr, planText(&plan.Plan))
		}
		return &failure{code: exitUsage, err: err, hint: plan.Hint}
	case errors.As(err, &differ):
		return &failure{code: exitDiffer, err: err, hint: "the value of a task may depend on its interval alone"}
	case m.signal != nil:
		return &failure{code: exitSignal + signalNumber(m.signal), err: fmt.Errorf("ended by %s: %s", signalName(m.signal), rounds)}
	}
	return fmt.Errorf("%w (%s)", err, rounds)
}

// check compares the record with what --expect claims.
func (m *compareCommand) check(rec compare.Record) error {
	var broken []string
	for _, c := range compare.CheckAll(rec, m.expected) {
		line := fmt.Sprintf("%s: %s", c.Text, c.Answer)
		if c.Reason != "" {
			line += ", " + c.Reason
		}
		m.note("expected %s", text.OneLine(line))
		if c.Answer != compare.Met {
			broken = append(broken, c.Text)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return &failure{code: exitExpect, err: fmt.Errorf("not shown to hold: %s", strings.Join(broken, "; "))}
}
