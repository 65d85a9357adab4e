package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"procpool/compare"
)

// Trace writes the runs whose spans were kept: the median and the worst of each
// cell. See [TraceRuns].
func Trace(w io.Writer, rec compare.Record) error {
	v := view{rec}
	var runs []TraceRun
	for _, task := range rec.Results.Tasks {
		for _, c := range task.Cells {
			add := func(word string, i int) {
				r := rec.Runs[i]
				runs = append(runs, TraceRun{fmt.Sprintf("%s %s, %s run (round %d)", task.Task, v.label(c.Cell), word, r.Round+1), r})
			}
			add("median", c.MedianRun)
			if c.WorstRun != c.MedianRun {
				add("worst", c.WorstRun)
			}
		}
	}
	return TraceRuns(w, runs)
}

// A TraceRun is one run under the name that the trace shows. Its spans must be
// settled (see [compare.Run.SumPhases]), as those of a record are.
type TraceRun struct {
	Name string
	Run  compare.Run
}

// TraceRuns writes runs as Chrome trace-event JSON, which Perfetto and
// chrome://tracing open. Each run is a process of the trace that starts at 0, so
// that runs can be held against each other; each worker is a thread, the parent is
// thread 0. Events are complete ("X") or metadata ("M"), in microseconds, and
// strictly nested within a thread.
func TraceRuns(w io.Writer, runs []TraceRun) error {
	t := tracer{w: bufio.NewWriter(w)}
	t.w.WriteString(`{"displayTimeUnit":"ms","traceEvents":[`)
	for i, r := range runs {
		t.run(i+1, r.Name, r.Run)
	}
	t.w.WriteString("\n]}\n")
	return t.w.Flush()
}

type tracer struct {
	w     *bufio.Writer
	begun bool
}

func (t *tracer) run(pid int, name string, r compare.Run) {
	t.meta("process_name", pid, 0, "name", name)
	t.meta("process_sort_index", pid, 0, "sort_index", pid)
	t.worker(pid, 0, "parent", r.Parent)
	for i, w := range r.Workers {
		label := fmt.Sprintf("worker %d", w.Index)
		if w.PID != 0 {
			label += fmt.Sprintf(" (pid %d)", w.PID)
		}
		t.worker(pid, i+1, label, w)
	}
}

func (t *tracer) worker(pid, tid int, name string, w compare.WorkerRun) {
	t.meta("thread_name", pid, tid, "name", name)
	t.meta("thread_sort_index", pid, tid, "sort_index", tid)
	for _, s := range w.Spans {
		// Both ends are rounded to a nanosecond alike, which keeps nested spans
		// nested; lengths are taken after that.
		start, end := math.Round(1e9*s.Start), math.Round(1e9*s.End)
		event := struct {
			Ph   string         `json:"ph"`
			Name string         `json:"name"`
			Cat  string         `json:"cat"`
			Pid  int            `json:"pid"`
			Tid  int            `json:"tid"`
			Ts   json.Number    `json:"ts"`
			Dur  json.Number    `json:"dur"`
			Args map[string]int `json:"args,omitempty"`
		}{Ph: "X", Name: string(s.Phase), Cat: "phase", Pid: pid, Tid: tid, Ts: microseconds(start), Dur: microseconds(end - start)}
		if cpu, ok := s.CPU.Get(); ok {
			event.Args = map[string]int{"cpu": cpu}
		}
		t.event(event)
	}
}

// microseconds prints whole nanoseconds exactly.
func microseconds(ns float64) json.Number {
	n := int64(ns)
	return json.Number(fmt.Sprintf("%d.%03d", n/1000, n%1000))
}

func (t *tracer) meta(kind string, pid, tid int, key string, value any) {
	t.event(struct {
		Ph   string         `json:"ph"`
		Name string         `json:"name"`
		Pid  int            `json:"pid"`
		Tid  int            `json:"tid"`
		Args map[string]any `json:"args"`
	}{"M", kind, pid, tid, map[string]any{key: value}})
}

func (t *tracer) event(e any) {
	if t.begun {
		t.w.WriteByte(',')
	}
	t.begun = true
	t.w.WriteByte('\n')
	b, err := json.Marshal(e)
	if err != nil { // strings, integers and finite decimals always encode
		panic(err)
	}
	t.w.Write(b)
}
