package ipc

import (
	"fmt"
	"slices"
)

// Constants of the protocol.
const (
	Protocol     = 1         // protocol number, in hello and open
	MaxDepth     = 256       // levels of nesting in a message
	MaxPending   = 1024      // requests that a parent may leave unanswered
	MaxNoise     = 64 << 10  // bytes that a launcher may print before hello
	MaxHost      = 255       // bytes of a host's name in hello
	DefaultLimit = 1 << 20   // bytes of a message, unless open says otherwise
	MaxLimit     = 1<<31 - 1 // bytes of a message that open can ask for at most
)

// Kind is the kind of a message, which is its only key on the wire.
type Kind uint8

// The kinds of messages. None is the zero value and never occurs on the wire.
const (
	None Kind = iota
	KindRequest
	KindOpen
	KindBeat
	KindEnd
	KindHello
	KindResult
	KindFail
	KindBye
	KindCancel
)

var kindNames = [...]string{"none", "request", "open", "beat", "end", "hello", "result", "fail", "bye", "cancel"}

// String returns the key on the wire.
func (k Kind) String() string { return kindNames[k] }

// A Message is a message as [Reader.Next] returns it. Body is the encoded body. It
// belongs to the Reader and is valid until the next call of Next.
type Message struct {
	Kind Kind
	Body []byte
}

// Open turns on supervision in both directions.
type Open struct {
	HeartbeatSeconds float64 // silence after which the other side is lost; 0 means never
	MaxMessageBytes  int64   // largest length of a message, in both directions
	Trace            bool    // results say when tasks began, and bye what the garbage collector did
}

// Request asks for a piece of work, or as a batch for several of one task. Task and
// Arg belong to the Reader.
type Request struct {
	ID    uint64 // of the first
	Task  []byte
	Arg   []byte // encoded; of a batch, one after the other
	Batch int    // pieces of work in a batch, with one id and index after the other; 0 = it is none
	RequestOptions
}

// RequestOptions are what a request may say besides. Their zero values are not sent.
type RequestOptions struct {
	TimeoutSeconds float64 // after which the task's context is done; 0 = never
	Index          uint64  // of the input in its sequence, from 0
	Attempt        uint64  // workers that met this work before
}

// Cancel asks for an answer no more.
type Cancel struct {
	ID     uint64
	Queued bool // only if it has not been begun
}

// Hello is the first message of a child.
type Hello struct {
	Build string   // identifies the program; a parent works only with its own
	PID   int64    //
	Host  string   //
	CPUs  string   // CPUs allowed, as a list ("0-3,8"); "" if unknown
	Tasks []string // names of the tasks that it can run

	Abouts map[string]About // of tasks of which it says more than their names; see [Hello.About]

	// Beats says that it beats after open, also while a task runs, and leaves when the
	// parent falls silent.
	Beats bool

	// StartError says why it cannot work: what it does at its start has failed.
	// It exits then. "" if it can.
	StartError string

	Batches bool // it may be sent batches of requests
}

// About is what a child says of one of its tasks.
type About struct {
	Version string // results of another version do not fit
	Grain   int64  // intervals are cut at multiples of it
	Exact   bool   // partials add up to the same in any order
}

// DefaultAbout is what holds where a child says nothing else.
var DefaultAbout = About{Version: "1", Grain: 1}

// About is what the child says of the task with this name; false if it has none.
func (h *Hello) About(name string) (About, bool) {
	if about, ok := h.Abouts[name]; ok {
		return about, true
	}
	return DefaultAbout, slices.Contains(h.Tasks, name)
}

// Result is the answer to a request, or to several of a batch. Value and Answers belong
// to the Reader.
type Result struct {
	ID          uint64   // of the first
	Interval    Interval // that of the request
	HasInterval bool     // whether Interval is valid, as it is for tasks over intervals
	Seconds     float64  // wall time for which the task ran
	Began       float64  // when the task began, in seconds on the clock of [Now]; 0 without Trace
	Value       []byte   // encoded
	Answers     []byte   // to requests of a batch, one after the other, see [NextAnswer]; nil if there is a Value
}

// Fail is the answer to a request that has no result.
type Fail struct {
	ID    uint64
	Error string
	Stack string // of a panic; may be empty

	NotBegun bool     // it was cancelled before it was begun: another worker can do it
	Timeout  bool     // it returned because its TimeoutSeconds were over
	Is       []uint64 // which of the errors that the task names it is, by their places
}

// AtTerminal is part of what a child prints on stderr before it exits with code 2
// because its standard input is a terminal.
const AtTerminal = "standard input, which is a terminal here"

// Bye is the last message of a child.
type Bye struct {
	Usage
	RanOn string // CPUs on which the child was seen, as a list; "" if unknown
	GC    *GC    // nil unless Open asked for a trace

	// ParentSilent says that the child leaves, whatever it has not answered, because it
	// heard nothing from the parent for longer than the heartbeat.
	ParentSilent bool
}

// GC is what the garbage collector of a child did.
type GC struct {
	Cycles       Count
	PauseSeconds float64 // time for which it stopped the whole program
}

// A Fault is an error in a stream that breaks the protocol. The rest of the stream
// is useless.
type Fault struct {
	Reason string
	First  []byte // first bytes of the wrong message, at most 32
	Err    error  // cause, or nil
}

func (f *Fault) Error() string {
	s := "protocol fault: " + f.Reason
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	if len(f.First) > 0 {
		s += fmt.Sprintf(" (first bytes %q)", f.First)
	}
	return s
}

// Unwrap returns the cause: io.ErrUnexpectedEOF for a stream that ends within a
// message, or nil.
func (f *Fault) Unwrap() error { return f.Err }

func fault(msg []byte, cause error, format string, args ...any) *Fault {
	return &Fault{Reason: fmt.Sprintf(format, args...), First: append([]byte(nil), msg[:min(len(msg), 32)]...), Err: cause}
}
