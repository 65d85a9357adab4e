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

	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// report prints what came of a run, and returns why it failed, if it did.
func (r *running) report() error {
	failed := r.failure()
	if r.verbose {
		r.account()
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
	text := resultLine(r.job.spec, r.grid.Whole, r.value) + fmt.Sprintf("Time = %.16f sec\n", r.outcome.Wall.Seconds())
	if _, err := io.WriteString(r.stdout, text); err != nil {
		return writing("the result", err)
	}
	return r.untraced
}

// resultLine is a sum as a reader sees it: for pi over [0, n) in the tutorial's words.
func resultLine(spec *task.Spec, whole ipc.Interval, value any) string {
	if pi, ok := piOf(spec, whole, value); ok {
		return fmt.Sprintf("PI is approximately %.16f, Error is %.16f\n", pi, math.Abs(pi-math.Pi))
	}
	return fmt.Sprintf("%s over %v = %s\n", spec.Name, whole, formatValue(value))
}

// piOf is value if it is an approximation of pi that the tutorial knows.
func piOf(spec *task.Spec, whole ipc.Interval, value any) (float64, bool) {
	pi, ok := value.(float64)
	return pi, ok && spec.Name == "pi" && whole.Start == 0
}

// account says on stderr, for -v, what every worker did, and who used the CPUs.
func (r *running) account() {
	w := bufio.NewWriter(r.stderr)
	defer w.Flush()
	fmt.Fprintf(w, "%s (%s), decided by %s", plural(int64(r.options.Procs), "worker"), r.options.Backend, r.limits.DecidedBy)
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
	fmt.Fprintln(table, "worker\tpid\tchunks\trestarts\tstart-up s\tbusy s\tuser s\tsystem s\tpeak MiB\tCPUs\tran on\tswitches\tmigrations")
	for _, s := range r.stats {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%.6f\t%.6f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Worker, s.PID, s.Chunks, s.Restarts, s.StartupSeconds, s.BusySeconds,
			r.orUnknown(s.UserSeconds), r.orUnknown(s.SystemSeconds), mebibytes(s.PeakRSSBytes), orDash(s.CPUs), orDash(s.RanOn),
			switches(s), s.Migrations)
	}
	table.Flush()
	if seconds := r.throttledSeconds(); seconds != nil && *seconds > 0 {
		fmt.Fprintf(w, "the control group's CPU quota held its processes up for %.6f s\n", *seconds)
	}
	if r.options.Backend != pool.Processes {
		fmt.Fprintf(w, "all of it used %.6f s of CPU in %.6f s of wall time\n", r.parent.Seconds(), r.outcome.Wall.Seconds())
		return
	}
	fmt.Fprintf(w, "the parent used %.6f s of CPU in %.6f s of wall time\n", r.parent.Seconds(), r.outcome.Wall.Seconds())
	fmt.Fprintf(w, "its children used %.6f s of CPU, which its own clock does not see\n", r.workersCPU())
}

func (r *running) workersCPU() (sum float64) {
	for _, s := range r.stats {
		sum += s.UserSeconds + s.SystemSeconds
	}
	return sum
}

// orUnknown prints CPU seconds; goroutines have none of their own.
func (r *running) orUnknown(seconds float64) string {
	if r.options.Backend != pool.Processes {
		return "-"
	}
	return fmt.Sprintf("%.6f", seconds)
}

// plural counts things.
func plural(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
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
	Backend     pool.Backend     `json:"backend"`
	Procs       int              `json:"procs"`
	Interval    ipc.Interval     `json:"interval"`
	ChunkSize   int64            `json:"chunk_size"`
	Chunks      int64            `json:"chunks"`
	Value       number           `json:"value"`
	Error       *number          `json:"error,omitempty"`
	Covered     [][2]int64       `json:"covered"`
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

func (r *running) writeJSON(failed error) error {
	report := runReport{
		Status: r.outcome.Status, Task: r.job.spec.Name, Backend: r.options.Backend, Procs: r.options.Procs,
		Interval: r.grid.Whole, ChunkSize: r.grid.Size, Chunks: r.grid.N,
		Covered: pairs(r.outcome.Covered), WallSeconds: r.outcome.Wall.Seconds(),
		CPUSeconds: cpuReport{r.parent.Seconds(), r.workersCPU()}, Retries: r.outcome.Retries, Limits: r.limits, Throttled: r.throttledSeconds(),
		Workers: r.workerReports(),
	}
	if failed != nil {
		report.Failure = oneLine(failed.Error())
		if report.Status == pool.Done {
			report.Status = pool.Failed // the result could not be kept
		}
	} else {
		report.Value = number{r.value}
		if pi, ok := piOf(r.job.spec, r.grid.Whole, r.value); ok {
			report.Error = &number{math.Abs(pi - math.Pi)}
		}
	}
	return printJSON(r.stdout, report)
}

func (r *running) workerReports() []workerReport {
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

// A number is a value that JSON may not be able to hold: what is not finite is a string.
type number struct{ v any }

func (n number) MarshalJSON() ([]byte, error) {
	f, ok := n.v.(float64)
	switch {
	case !ok:
		return json.Marshal(n.v)
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 0):
		return fmt.Appendf(nil, `"%+v"`, f), nil
	}
	return []byte(formatFloat(f)), nil
}

// printJSON prints one object, indented.
func printJSON(w io.Writer, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return writing("the result", err)
}
