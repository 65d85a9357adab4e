package compare

import (
	"fmt"
	"testing"
	"time"

	"procpool/parent"
)

// TestTimeline plays the events of a worker that is lost and replaced, told late
// and out of order, by clocks that differ a little.
func TestTimeline(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	var r Recorder
	event := func(kind parent.EventKind, worker, from, to, told int) {
		r.Event(parent.Event{Kind: kind, Worker: worker, Began: at(from), Seconds: float64(to-from) / 1000, Time: at(told)})
	}
	event(parent.WorkerStarted, 0, 1, 5, 5)    // hello, told before
	event(parent.WorkerSpawned, 0, 1, 3, 3)    // spawn
	event(parent.ChunkFinished, 0, 4, 10, 12)  // began before the hello was here
	event(parent.ChunkFinished, 0, 11, 20, 22) // while the reply before was on its way
	event(parent.WorkerLost, 0, 0, 0, 30)
	event(parent.WorkerSpawned, 0, 40, 42, 42)
	event(parent.WorkerStarted, 0, 40, 50, 50)
	event(parent.ChunkFinished, 0, 60, 70, 80)
	event(parent.ChunkFinished, 1, 10, 90, 95) // the last result
	event(parent.WorkerSpawned, 2, 93, 99, 99) // too late for any work
	event(parent.ChunkFinished, 3, 0, 0, 0)    // no trace: no time

	run := r.Run(parent.Processes, began, 100*time.Millisecond, []parent.WorkerStats{{Worker: 0}, {Worker: 1, PID: 7}, {Worker: 2}})
	if err := run.Settle(); err != nil {
		t.Fatal(err)
	}
	show := func(spans []Span) (s string) {
		for _, p := range spans {
			s += fmt.Sprintf("%s %.0f-%.0f ", p.Phase, p.Start*1000, p.End*1000)
		}
		return s
	}
	for i, want := range []string{
		"idle 0-1 spawn 1-3 hello 3-5 compute 5-10 reply 10-11 compute 11-20 idle 20-40 spawn 40-42 hello 42-50 dispatch 50-60 compute 60-70 reply 70-80 idle 80-95 ",
		"dispatch 0-10 compute 10-90 reply 90-95 ",
		"idle 0-93 spawn 93-95 ",
	} {
		if got := show(run.Workers[i].Spans); got != want {
			t.Errorf("worker %d: %s\nwant      %s", i, got, want)
		}
	}
	if got := show(run.Parent.Spans); got != "reduce 95-100 " {
		t.Errorf("parent: %s", got)
	}
	if run.Missing["migrations"] == "" && run.Workers[0].Migrations.IsZero() {
		t.Error("migrations are missing without a reason")
	}

	serial := r.Run(parent.Serial, began, 100*time.Millisecond, []parent.WorkerStats{{Worker: 0}})
	if err := serial.Settle(); err != nil || len(serial.Workers) != 0 || serial.Parent.seconds(Compute) == 0 {
		t.Errorf("serial: %v, %+v", err, serial)
	}
}

func TestPausesInterruptComputing(t *testing.T) {
	tl := timeline{end: 10}
	tl.fill(Dispatch, 2)
	tl.fill(Compute, 5)
	tl.fill(Compute, 8)
	tl.fill(Idle, 10)
	stops := []Span{{Phase: GC, Start: 1, End: 3}, {Phase: GC, Start: 4, End: 6}, {Phase: GC, Start: 7.5, End: 9}}
	times, err := func() ([]PhaseTime, error) {
		w := Worker{Spans: tl.withPauses(stops)}
		err := w.settle(10)
		return w.Phases, err
	}()
	if got := fmt.Sprint(times); err != nil || got != "[{dispatch 2} {compute 2.5} {gc 3.5} {idle 2}]" {
		t.Errorf("%s, %v", got, err)
	}
	w := Worker{Spans: []Span{{Phase: Compute, Start: 0, End: 4}, {Phase: Idle, Start: 4, End: 5}}, Usage: Usage{GCPauseSeconds: Known(1.5)}}
	if err := w.settle(5); err != nil || fmt.Sprint(w.Phases) != "[{compute 2.5} {gc 1.5} {idle 1}]" {
		t.Errorf("pauses known as a sum: %v, %v", w.Phases, err)
	}
}
