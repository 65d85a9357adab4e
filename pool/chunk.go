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

// A chunk is one piece of work: an interval of a sum, or an input of a map. Short inputs
// that follow each other can be a chunk together, as a batch; it is split as soon as
// something else becomes of some of them than of the others. The pool's lock guards a
// chunk, but while it is in flight its worker may read it, and once it is done it
// belongs to the consumer.
type chunk struct {
	call   *call
	cell   cell
	seq    int64        // from 0, in the order of the input; of a batch, its first input's
	inputs int          // of a map, in a batch; else 1
	iv     ipc.Interval // of a sum
	arg    []byte       // of a map in processes: the encoded inputs, one after the other
	id     uint64       // of its first request, to the process that has it
	state  chunkState
	alone  bool // it was with a worker that died: it is handed out on its own

	recalled bool    // it was asked back
	expected float64 // seconds that it is expected to take; 0 = unknown
	charged  float64 // seconds that its call was charged for it so far

	attempts int    // workers lost to it, or timeouts
	err      error  // that it ended with
	raw      []byte // the encoded result, where the consumer decodes it
	worker   int    // that finished it
	host     string
	pid      int
	seconds  float64 // that the task took
	size     int64   // of the encoded result
}

// A cell holds a chunk's result, typed. It belongs to the worker that has the
// chunk in flight, and to the consumer once the chunk is done.
type cell interface {
	// decode decodes the result of an input of the chunk, counted from 0. If owned is
	// set, its value may be kept.
	decode(input int, r ipc.Result, owned bool) error
	compute(ctx context.Context, iv ipc.Interval) error
	// split takes the first n inputs off, with their results, and returns them as a chunk.
	split(n int) *chunk
}

// input names a chunk in errors and events.
func (ch *chunk) input() Input {
	return Input{Task: ch.call.spec.Name, Index: ch.seq, Interval: ch.iv, IsSum: ch.call.spec.Sums()}
}

// with is what the chunk's request carries beside its interval.
func (ch *chunk) with() []byte {
	if ch.call.with == nil {
		return nil
	}
	return ch.call.with(nil, ch.iv)
}

// met is how many workers met a chunk that is done.
func (ch *chunk) met() int {
	switch ch.err.(type) {
	case *LostWorkerError, *TimeoutError:
		return max(ch.attempts, 1)
	case *InputError:
		return 0
	}
	return ch.attempts + 1
}

// reset makes ch new, as chunk seq, and keeps its room.
func (ch *chunk) reset(seq int64, iv ipc.Interval) {
	*ch = chunk{call: ch.call, cell: ch.cell, raw: ch.raw[:0], seq: seq, iv: iv, inputs: 1}
}
