package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"procpool/compare"
)

// Trace writes the median run of each cell, as [TraceRuns] does.
func Trace(w io.Writer, rec compare.Record) error {
	var runs []TraceRun
	for _, c := range rec.Results.Cells {
		r := rec.Runs[c.MedianRun]
		runs = append(runs, TraceRun{fmt.Sprintf("%v, median run (round %d)", rec.Plan.Cells[c.Cell], r.Round+1), r})
	}
	return TraceRuns(w, runs)
}

// A TraceRun is one run under the name that the trace shows. Call
// [compare.Run.SumPhases] first if it is not from a record.
type TraceRun struct {
	Name string
	Run  compare.Run
}

// TraceRuns writes runs as Chrome trace-event JSON, which Perfetto and
// chrome://tracing open. Each run is a process of the trace that starts at 0, so
// that runs can be compared; each worker is a thread, the parent is thread 0. Events are complete ("X") or metadata ("M"), in microseconds, and
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
	t.meta(pid, 0, "process_name", "name", name)
	t.meta(pid, 0, "process_sort_index", "sort_index", pid)
	for tid, w := range lanes(r) {
		name := w.name
		if tid > 0 && w.PID != 0 {
			name += fmt.Sprintf(" (pid %d)", w.PID)
		}
		t.meta(pid, tid, "thread_name", "name", name)
		t.meta(pid, tid, "thread_sort_index", "sort_index", tid)
		for _, s := range w.Spans {
			t.span(pid, tid, s)
		}
	}
}

// span rounds both ends to a nanosecond before it takes the length, which keeps
// nested spans nested.
func (t *tracer) span(pid, tid int, s compare.Span) {
	start, end := math.Round(1e9*s.Start), math.Round(1e9*s.End)
	e := traceEvent{Ph: "X", Name: string(s.Phase), Cat: "phase", Pid: pid, Tid: tid, Ts: microseconds(start), Dur: microseconds(end - start)}
	if cpu, ok := s.CPU.Get(); ok {
		e.Args = map[string]any{"cpu": cpu}
	}
	t.event(e)
}

// microseconds prints whole nanoseconds exactly.
func microseconds(ns float64) json.Number {
	n := int64(ns)
	return json.Number(fmt.Sprintf("%d.%03d", n/1000, n%1000))
}

func (t *tracer) meta(pid, tid int, name, key string, value any) {
	t.event(traceEvent{Ph: "M", Name: name, Pid: pid, Tid: tid, Args: map[string]any{key: value}})
}

type traceEvent struct {
	Ph   string         `json:"ph"`
	Name string         `json:"name"`
	Cat  string         `json:"cat,omitempty"`
	Pid  int            `json:"pid"`
	Tid  int            `json:"tid"`
	Ts   json.Number    `json:"ts,omitempty"`
	Dur  json.Number    `json:"dur,omitempty"`
	Args map[string]any `json:"args,omitempty"`
}

func (t *tracer) event(e traceEvent) {
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
