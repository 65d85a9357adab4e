package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/compare"
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
	verbose  bool

	from, baseline, showProgress string

	progress *progress
	old      *compare.Record // of --baseline
	saved    string          // the file of the record; "" if it was not written
	signal   os.Signal       // the signal that ended the experiment, or nil
}

func (p *program) compareCommand() *cli.Command {
	m := &compareCommand{program: p}
	return &cli.Command{
		Name: "compare", ArgsUsage: "[TASK...]",
		Usage:       "find out whether processes or goroutines win, by how much, and why",
		Description: compareAbout,
		UsageText:   p.Name + " compare --max-time 20s --export-html report.html pi counter",
		Flags:       m.flags(), Before: m.prepare, Action: m.run,
	}
}

const compareAbout = `Runs the same tasks, cut the same way, on goroutines and in processes, and says who wins, by how much, and why. Two runs make a pair, one directly after the other; a coin decides each time which goes first. Starting is measured apart, so the ratio does not depend on how large a task is. A comparison that is decided is not run again, and when all are, it ends; all verdicts together are right with the --confidence. Without TASK it takes the standard ones, or all where the program does not have these. Results must agree to the bit. With --exec 'CMD ARGS' INTERVALS it compares a program of yours with itself: run for one chunk after the other, and for as many chunks at a time as there are workers. CMD is run once a chunk, as exec does, so its own start is part of both times. The first signal ends it with what is known so far. The last record is kept in the user's cache folder, and --from asks it again.`

// prepare reads and checks flags and arguments, so that mistakes are found before anything
// runs.
func (m *compareCommand) prepare(c *cli.Context) (err error) {
	if m.exports, err = readExports(c, m.json); err != nil {
		return err
	}
	if c.IsSet("baseline") {
		old, err := m.read("--baseline", m.baseline)
		if err != nil {
			return err
		}
		m.old = &old
	}
	if c.IsSet("from") {
		return m.onlyRenders(c)
	}
	if err := m.readOptions(c); err != nil {
		return err
	}
	m.progress = m.newProgress(m.showProgress)
	return enoughFiles(0)
}

func (m *compareCommand) run(c *cli.Context) error {
	if c.IsSet("from") {
		rec, err := m.read("--from", m.from)
		if err != nil {
			return err
		}
		if err := m.judge(&rec); err != nil {
			return err
		}
		m.saved = m.from
		return m.finish(rec, nil)
	}
	rec, err := m.measure()
	if m.options.PlanOnly && err == nil {
		return m.print("the plan", planText(&rec.Plan))
	}
	if len(rec.Runs) > 0 {
		m.saved = m.save(rec)
	}
	return m.finish(rec, err)
}

// read reads the record that a flag names; - is stdin.
func (m *compareCommand) read(flag, path string) (rec compare.Record, err error) {
	file := os.Stdin
	if path != "-" {
		if file, err = os.Open(path); err != nil {
			return rec, badInput(fmt.Errorf("%s: %w", flag, err))
		}
		defer file.Close()
	}
	if rec, err = compare.Read(file); err != nil {
		return rec, badInput(fmt.Errorf("%s %s: %w", flag, path, err))
	}
	return rec, nil
}

// judge computes the verdicts of a saved record anew, by --confidence and --equivalence. It
// returns an error if the record has no row for an --expect.
func (m *compareCommand) judge(rec *compare.Record) error {
	if err := rec.Judge(m.options.Confidence, m.options.Margin); err != nil {
		return badInput(err)
	}
	for _, x := range m.expected {
		if err := rec.Plan.CanAnswer(x); err != nil {
			return usage("--expect: %q: %w", x.Text, err)
		}
	}
	return nil
}

// save writes the record to the user's cache folder and returns the path of the file, or
// "" if it cannot be written.
func (m *compareCommand) save(rec compare.Record) (path string) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	own := filepath.Join(dir, m.Name)
	for _, d := range []string{dir, own} { // a missing home is not created
		os.Mkdir(d, 0o700)
	}
	path = filepath.Join(own, "last")
	if writeFile(path, "the record", func(w io.Writer) error { return compare.Write(w, rec) }) != nil {
		return ""
	}
	return path
}

// measure runs the experiment until it is done or a signal ends it.
func (m *compareCommand) measure() (compare.Record, error) {
	if command := m.pools.Command; command != nil {
		m.options.Environment = append(compare.Environment(), compare.Fact{Name: "command", Value: text.ShellQuote(command...)})
	}
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

// show prints what is going to be run, and how far the experiment is.
func (m *compareCommand) show(p compare.Progress) {
	switch p.Stage {
	case compare.StageCalibrate, compare.StageWarmUp:
		m.progress.set(fmt.Sprintf("%s: %v", p.Stage, p.Cell))
	case compare.StagePlan:
		if !m.options.PlanOnly {
			m.progress.say(announcement(p.Plan))
		}
	case compare.StageMeasure:
		m.progress.set(fmt.Sprintf("%v of %v, round %d, %d of %d open: %v", p.Elapsed.Round(time.Second), m.options.MaxTime, p.Round+1, p.Open, len(p.Plan.Rows), p.Cell))
	}
}

// announcement says what is compared, and how long that may take.
func announcement(p *compare.Plan) string {
	workers := map[int]bool{}
	for _, r := range p.Rows {
		workers[p.Cells[r.A].Workers] = true
	}
	var counts []string
	for _, n := range slices.Sorted(maps.Keys(workers)) {
		counts = append(counts, strconv.Itoa(n))
	}
	noun := " workers"
	if len(counts) == 1 && counts[0] == "1" {
		noun = " worker"
	}
	return fmt.Sprintf("%s on %s, at most %.3g s (Ctrl-C: what is known so far)", strings.Join(counts, ", ")+noun, text.Plural(int64(len(p.Tasks)), "task"), p.MaxSeconds)
}

// planText prints what is going to be run.
func planText(p *compare.Plan) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "plan: %s of %s, at most %.4g s; seed %d\n", text.Plural(int64(len(p.Rows)), "comparison"), text.Plural(int64(len(p.Cells)), "cell"), p.MaxSeconds, p.Seed)
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, t := range p.Tasks {
		if t.SerialSeconds > 0 {
			fmt.Fprintf(w, "  %s\t%d indices\t%.3g s serially\n", t.Name, t.Size, t.SerialSeconds)
		}
	}
	w.Flush()
	return b.String()
}

// finish prints and exports the record, and returns how the experiment ended.
func (m *compareCommand) finish(rec compare.Record, ended error) error {
	failed := m.failure(rec, ended)
	if len(rec.Runs) == 0 && failed != nil {
		return failed // there is nothing to show
	}
	var unwritten error // an export that fails does not stop the others
	for _, x := range m.exports {
		unwritten = errors.Join(unwritten, m.export(x, rec))
	}
	if !slices.ContainsFunc(m.exports, export.toStdout) {
		unwritten = errors.Join(unwritten, m.table(rec))
	}
	if err := cmp.Or(failed, unwritten, m.changes(rec)); err != nil {
		return err
	}
	return m.check(rec)
}

// table prints the report for people.
func (m *compareCommand) table(rec compare.Record) error {
	o := m.textOptions()
	o.Verbose = m.verbose
	if m.saved != "" && m.saved != "-" {
		o.Details = fmt.Sprintf("Details: --verbose or --export-html FILE, also later with --from %s", tilde(m.saved))
	}
	var b bytes.Buffer
	if err := compare.Text(&b, rec, o); err != nil {
		return err
	}
	return m.print("the report", b.String())
}

func (m *compareCommand) textOptions() (o compare.TextOptions) {
	if terminal.Is(m.Stdout) {
		o.Color = compare.WantColor(true, os.Getenv)
		o.Width = terminal.Columns(m.Stdout)
	}
	o.ASCII = compare.WantASCII(os.Getenv)
	return o
}

// tilde shortens a path in the user's home.
func tilde(path string) string {
	if home, err := os.UserHomeDir(); err == nil && home != "/" {
		if rest, ok := strings.CutPrefix(path, home+string(os.PathSeparator)); ok {
			return "~" + string(os.PathSeparator) + text.ShellQuote(rest)
		}
	}
	return text.ShellQuote(path)
}

// changes prints how the ratios differ from those of --baseline: after the table, or on
// stderr if an export goes to stdout.
func (m *compareCommand) changes(rec compare.Record) error {
	if m.old == nil {
		return nil
	}
	changes, err := compare.Changes(*m.old, rec)
	if err != nil {
		return badInput(fmt.Errorf("--baseline %s: %w", m.baseline, err))
	}
	var b bytes.Buffer
	compare.ChangesText(&b, changes, m.textOptions())
	if slices.ContainsFunc(m.exports, export.toStdout) {
		m.note("%s", strings.TrimSpace(b.String()))
		return nil
	}
	return m.print("the changes", "\n"+b.String())
}

// failure returns how the experiment ended, as the command's error.
func (m *compareCommand) failure(rec compare.Record, err error) error {
	var plan *compare.PlanError
	var differ *compare.DifferError
	rounds := fmt.Sprintf("%d rounds are complete", rec.Results.Rounds)
	switch {
	case err == nil && rec.Status == compare.Differ: // rendered again
		return &failure{code: exitDiffer, err: errors.New("results differ between backends")}
	case err == nil:
		return nil
	case errors.As(err, &plan):
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
