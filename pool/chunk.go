package pool

import (
	"context"

	"procpool/ipc"
)

type chunkState uint8

const (
	free     chunkState = iota // not handed out
	inFlight                   // with a worker
	done                       // its result or error waits for the consumer
)

// A chunk is one piece of work: an interval of a sum, or an input of a map. Consecutive
// short inputs can form one chunk, a batch; it is split when some of its inputs fail,
// are recalled or must be run again. The pool's lock guards a chunk, except that its
// worker may read it while it is in flight, and the consumer owns it once it is done.
type chunk struct {
	call   *call
	cell   cell
	seq    int64        // from 0, in the order of the input; for a batch, that of its first input
	inputs int          // number of inputs in a batch; else 1
	iv     ipc.Interval // of a sum
	arg    []byte       // of a map in processes: the encoded inputs, one after the other
	id     uint64       // of its first request, to the process that has it
	state  chunkState
	alone  bool // a worker that had it was lost, so it must be the only one in flight with its next worker

	recalled bool    // the worker was asked to give it back
	expected float64 // seconds that it is expected to take; 0 = unknown
	charged  float64 // seconds that its call was charged for it so far

	attempts int    // failed attempts that were charged to it: workers lost, timeouts
	err      error  // the error that it ended with
	raw      []byte // the encoded result, if the consumer decodes it
	worker   int    // index of the worker that finished it
	host     string
	pid      int
	seconds  float64 // that the task took
	size     int64   // of the encoded result
}

// A cell holds a chunk's result, typed. It belongs to the worker that has the
// chunk in flight, and to the consumer once the chunk is done.
type cell interface {
	// decode decodes the result of one of the chunk's inputs, counted from 0. It may
	// keep r.Value if owned is set.
	decode(input int, r ipc.Result, owned bool) error
	compute(ctx context.Context, iv ipc.Interval) error
	// split removes the first n inputs with their results and returns them as a chunk.
	split(n int) *chunk
}

// input returns the Input that names the chunk in errors and events.
func (ch *chunk) input() Input {
	return Input{Task: ch.call.spec.Name, Index: ch.seq, Interval: ch.iv, IsSum: ch.call.spec.Sums()}
}

// with returns the encoded value that the chunk's request carries beside its interval,
// or nil; see Workload.With.
func (ch *chunk) with() []byte {
	if ch.call.with == nil {
		return nil
	}
	return ch.call.with(nil, ch.iv)
}

// met returns how many workers a chunk that is done was sent to.
func (ch *chunk) met() int {
	switch ch.err.(type) {
	case *LostWorkerError, *TimeoutError:
		return max(ch.attempts, 1)
	case *InputError:
		return 0
	}
	return ch.attempts + 1
}

// reset makes ch a new chunk, number seq, and keeps its buffers.
func (ch *chunk) reset(seq int64, iv ipc.Interval) {
	*ch = chunk{call: ch.call, cell: ch.cell, raw: ch.raw[:0], seq: seq, iv: iv, inputs: 1}
}
