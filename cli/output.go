package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"procpool/internal/command"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// report prints the result of a run, and returns why it failed, if it did.
func (r *runCommand) report() error {
	failed := r.failure()
	if r.verbose {
		r.printUsage()
	}
	if r.json {
		if err := r.writeJSON(failed); err != nil {
			return err
		}
		return cmp.Or(failed, r.untraced)
	}
	if failed != nil {
		return failed
	}
	result := r.resultLine(r.spec, r.whole, r.over(), r.value)
	if result != "" {
		result += fmt.Sprintf("Time = %.16f sec\n", r.outcome.Wall.Seconds())
	}
	if r.trace.toStdout() {
		io.WriteString(r.Stderr, result)
		return r.untraced
	}
	return cmp.Or(r.print("the result", result), r.untraced)
}

// resultLine prints the sum over a part of the whole, and the tutorial's over [0, n) in
// the tutorial's words. Outputs that were printed as they came have no line.
func (p *program) resultLine(spec *task.Spec, whole ipc.Interval, over string, value any) string {
	switch result, ok := value.(command.Partial); {
	case spec.Name != command.Name:
	case !ok || !spec.Exact:
		return ""
	case result.Reduce == command.None:
		return fmt.Sprintf("%s over %s is done\n", spec.Name, over)
	}
	if pi, ok := p.piOf(spec, whole, over, value); ok {
		return fmt.Sprintf("PI is approximately %.16f, Error is %.16f\n", pi, math.Abs(pi-math.Pi))
	}
	return fmt.Sprintf("%s over %s = %s\n", spec.Name, over, formatValue(value))
}

// piOf returns value if it is an approximation of pi that the tutorial knows.
func (p *program) piOf(spec *task.Spec, whole ipc.Interval, over string, value any) (float64, bool) {
	pi, ok := value.(float64)
	return pi, ok && spec.Name == p.Tutorial && whole.Start == 0 && over == whole.String()
}

// errorOf returns the distance of an approximation from pi for JSON, or nil for any other
// result.
func (p *program) errorOf(spec *task.Spec, whole ipc.Interval, over string, value any) *resultValue {
	if pi, ok := p.piOf(spec, whole, over, value); ok {
		return &resultValue{math.Abs(pi - math.Pi)}
	}
	return nil
}

// printUsage prints on stderr, for -v, a table of the workers and the CPU time used.
func (r *runCommand) printUsage() {
	w := bufio.NewWriter(r.Stderr)
	defer w.Flush()
	fmt.Fprintf(w, "%s (%s), decided by %s", text.Plural(int64(r.options.Procs), "worker"), r.options.Backend, r.limits.DecidedBy)
	for _, l := range r.limits.All {
		fmt.Fprintf(w, "; %s: %d (%s)", l.By, l.Procs, l.Source)
	}
	fmt.Fprintln(w)
	for _, note := range r.limits.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(r.notes) > 0 {
		fmt.Fprintln(table, "chunk\tinterval\tpartial\tworker\tpid\twall s")
		for _, n := range r.notes {
			fmt.Fprintf(table, "%d\t%v\t%s\t%d\t%d\t%.6f\n", n.seq, n.interval, formatValue(n.value), n.worker, n.pid, n.seconds)
		}
		table.Flush()
	}
	fmt.Fprintln(table, "worker\tpid\thost\tchunks\trestarts\tstart-up s\tbusy s\tuser s\tsystem s\tpeak MiB\tCPUs\tran on\tswitches\tmigrations")
	for _, s := range r.stats {
		fmt.Fprintf(table, "%d\t%d\t%s\t%d\t%d\t%.6f\t%.6f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Worker, s.PID, orDash(s.Host), s.Chunks, s.Restarts, s.StartupSeconds, s.BusySeconds,
			r.orUnknown(s.UserSeconds), r.orUnknown(s.SystemSeconds), mebibytes(s.PeakRSSBytes), orDash(s.CPUs), orDash(s.RanOn),
			switches(s), s.Migrations)
	}
	table.Flush()
	if seconds := r.throttledSeconds(); seconds != nil && *seconds > 0 {
		fmt.Fprintf(w, "the CPU quota of the control group stopped its processes for %.6f s\n", *seconds)
	}
	if r.options.Backend != pool.Processes {
		fmt.Fprintf(w, "this process used %.6f s of CPU in %.6f s of wall time\n", r.parent.Seconds(), r.outcome.Wall.Seconds())
		return
	}
	fmt.Fprintf(w, "the parent used %.6f s of CPU in %.6f s of wall time\n", r.parent.Seconds(), r.outcome.Wall.Seconds())
	fmt.Fprintf(w, "its children used %.6f s of CPU, which its own clock does not see\n", r.workersCPU())
}

func (r *runCommand) workersCPU() (sum float64) {
	for _, s := range r.stats {
		sum += s.UserSeconds + s.SystemSeconds
	}
	return sum
}

// orUnknown prints CPU seconds; goroutines have none of their own.
func (r *runCommand) orUnknown(seconds float64) string {
	if r.options.Backend != pool.Processes {
		return "-"
	}
	return fmt.Sprintf("%.6f", seconds)
}

func mebibytes(c ipc.Count) string {
	bytes, known := c.Get()
	if !known {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(bytes)/(1<<20))
}

// switches are voluntary and involuntary ones.
func switches(s pool.WorkerStats) string {
	if _, known := s.VoluntarySwitches.Get(); !known {
		return "-"
	}
	return fmt.Sprintf("%v+%v", s.VoluntarySwitches, s.InvoluntarySwitches)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// A runReport is the object that run --json prints. Scripts depend on its names.
type runReport struct {
	Status      pool.Status      `json:"status"`
	Failure     string           `json:"failure,omitempty"`
	Task        string           `json:"task"`
	Command     []string         `json:"command,omitempty"`
	Reduce      string           `json:"reduce,omitempty"`
	Backend     pool.Backend     `json:"backend"`
	Procs       int              `json:"procs"`
	Interval    ipc.Interval     `json:"interval"` // the whole, or the least that contains the share
	Whole       ipc.Interval     `json:"whole"`
	Share       journal.Share    `json:"share,omitzero"`
	Deal        string           `json:"deal,omitempty"`
	ChunkSize   int64            `json:"chunk_size"`
	Chunks      int64            `json:"chunks"`
	ChunksDone  int64            `json:"chunks_done"` // also by earlier runs
	Earlier     int64            `json:"earlier"`     // chunks done by earlier runs
	Value       resultValue      `json:"value"`
	Error       *resultValue     `json:"error,omitempty"`
	Covered     [][2]int64       `json:"covered"`
	Failed      [][2]int64       `json:"failed,omitempty"` // with --keep-going
	WallSeconds float64          `json:"wall_seconds"`
	CPUSeconds  cpuReport        `json:"cpu_seconds"`
	Retries     int64            `json:"retries"`
	Limits      placement.Limits `json:"limits"`
	Throttled   *float64         `json:"throttled_seconds"` // of this control group by its CPU quota; null if unknown
	Workers     []workerReport   `json:"workers"`
}

type cpuReport struct {
	Parent  float64 `json:"parent"`
	Workers float64 `json:"workers"`
}

type workerReport struct {
	Worker         int      `json:"worker"`
	PID            int      `json:"pid"`
	Host           string   `json:"host"`
	CPUs           string   `json:"cpus"`   // allowed
	RanOn          string   `json:"ran_on"` // seen; "" if unknown
	Chunks         int64    `json:"chunks"`
	Restarts       int      `json:"restarts"`
	StartupSeconds float64  `json:"startup_seconds"`
	BusySeconds    float64  `json:"busy_seconds"`
	UserSeconds    *float64 `json:"user_seconds"`
	SystemSeconds  *float64 `json:"system_seconds"`
	ipc.Counters
}

func (r *runCommand) writeJSON(failed error) error {
	report := runReport{
		Status: r.outcome.Status, Task: r.spec.Name, Backend: r.options.Backend, Procs: r.options.Procs,
		Interval: r.within(), Whole: r.whole, Share: r.share, Deal: r.deal,
		ChunkSize: r.grid.Size, Chunks: r.chunks, ChunksDone: r.outcome.Chunks, Earlier: r.outcome.Earlier,
		Covered: pairs(r.outcome.Covered), WallSeconds: r.outcome.Wall.Seconds(),
		CPUSeconds: cpuReport{r.parent.Seconds(), r.workersCPU()}, Retries: r.outcome.Retries, Limits: r.limits, Throttled: r.throttledSeconds(),
		Workers: r.workerReports(),
	}
	if r.exec != nil {
		report.Command, report.Reduce, report.Failed = r.exec.words, r.exec.reduce, pairs(r.outcome.Failed)
	}
	if failed != nil {
		report.Failure = text.OneLine(failed.Error())
		if report.Status == pool.Done {
			report.Status = pool.Failed // the result could not be kept
		}
	} else {
		report.Value = resultValue{r.value}
		report.Error = r.errorOf(r.spec, r.whole, r.over(), r.value)
	}
	return r.printJSON(report)
}

func (r *runCommand) workerReports() []workerReport {
	rows := make([]workerReport, 0, len(r.stats))
	for _, s := range r.stats {
		row := workerReport{
			Worker: s.Worker, PID: s.PID, Host: s.Host, CPUs: s.CPUs, RanOn: s.RanOn, Chunks: s.Chunks, Restarts: s.Restarts,
			StartupSeconds: s.StartupSeconds, BusySeconds: s.BusySeconds, Counters: s.Counters,
		}
		if r.options.Backend == pool.Processes {
			row.UserSeconds, row.SystemSeconds = &s.UserSeconds, &s.SystemSeconds
		}
		rows = append(rows, row)
	}
	return rows
}

func pairs(intervals []ipc.Interval) [][2]int64 {
	out := make([][2]int64, 0, len(intervals))
	for _, iv := range intervals {
		out = append(out, [2]int64{iv.Start, iv.End})
	}
	return out
}

// formatValue prints a result.
func formatValue(v any) string {
	if f, ok := v.(float64); ok {
		return text.Float(f)
	}
	return fmt.Sprint(v)
}

// A resultValue is a result in JSON: a float that JSON cannot hold is a string.
type resultValue struct{ v any }

func (r resultValue) MarshalJSON() ([]byte, error) {
	if f, ok := r.v.(float64); ok {
		return text.JSONFloat(f), nil
	}
	return json.Marshal(r.v)
}

// printJSON prints one object, indented.
func (p *program) printJSON(v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	return p.print("the result", b.String())
}
