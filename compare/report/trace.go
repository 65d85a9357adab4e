package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"

	"procpool/compare"
)

// A TraceRun is one run under the name that the trace shows. Call
// [compare.Run.SumPhases] first.
type TraceRun struct {
	Name string
	Run  compare.Run
}

// TraceRuns writes runs as Chrome trace-event JSON, which Perfetto and
// chrome://tracing open. Each run is a process of the trace that starts at 0, so
// that runs can be compared; each worker is a thread, the parent is thread 0. Events are
// complete ("X") or metadata ("M"), in microseconds, and strictly nested within a thread.
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
	for tid, w := range append([]compare.WorkerRun{r.Parent}, r.Workers...) {
		name := "parent"
		if tid > 0 {
			name = fmt.Sprintf("worker %d", w.Index)
			if w.PID != 0 {
				name += fmt.Sprintf(" (pid %d)", w.PID)
			}
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
	t.event("X", string(s.Phase), pid, tid, map[string]any{"cat": "phase", "ts": microseconds(start), "dur": microseconds(end - start)})
}

// microseconds prints whole nanoseconds exactly.
func microseconds(ns float64) json.Number {
	n := int64(ns)
	return json.Number(fmt.Sprintf("%d.%03d", n/1000, n%1000))
}

func (t *tracer) meta(pid, tid int, name, key string, value any) {
	t.event("M", name, pid, tid, map[string]any{"args": map[string]any{key: value}})
}

// event writes one of a phase of the trace, with its own fields and args.
func (t *tracer) event(phase, name string, pid, tid int, fields map[string]any) {
	maps.Copy(fields, map[string]any{"ph": phase, "name": name, "pid": pid, "tid": tid})
	b, err := json.Marshal(fields)
	if err != nil { // strings, integers and finite decimals always encode
		panic(err)
	}
	if t.begun {
		t.w.WriteByte(',')
	}
	t.begun = true
	t.w.WriteByte('\n')
	t.w.Write(b)
}
