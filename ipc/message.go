package ipc

import "fmt"

// The protocol's fixed numbers.
const (
	Protocol     = 1         // protocol number, in hello and open
	MaxDepth     = 256       // nesting of a message
	MaxPending   = 1024      // requests that a parent may leave unanswered
	MaxNoise     = 64 << 10  // bytes that may stand before a hello
	DefaultLimit = 1 << 20   // bytes of a message, where open says nothing else
	MaxLimit     = 1<<31 - 1 // bytes that a message may ever have
)

// Kind is the one key of a message.
type Kind uint8

// The kinds of message. None is the zero value and never on the wire.
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
)

var kindNames = [...]string{"none", "request", "open", "beat", "end", "hello", "result", "fail", "bye"}

// String is the key as it stands on the wire.
func (k Kind) String() string { return kindNames[k] }

// A Message is one delimited message. Body is its encoded body; it belongs to
// the [Reader] and is valid until the next call of Next.
type Message struct {
	Kind Kind
	Body []byte
}

// Open turns supervision on, in both directions.
type Open struct {
	HeartbeatSeconds float64 // silence after which the other side is lost; 0 = never
	MaxMessageBytes  int64   // limit of a message in both directions
	Trace            bool    // results say when they were begun, and bye what the garbage collector did
}

// Request is one piece of work. Task and Arg belong to the Reader.
type Request struct {
	ID   uint64
	Task []byte
	Arg  []byte // encoded
}

// Hello is what a child says of itself before anything else.
type Hello struct {
	Build string   // identifies the program; a parent works only with its own
	PID   int64    //
	Host  string   //
	CPUs  string   // CPUs allowed, as a list ("0-3,8"); "" if unknown
	Tasks []string // names of the tasks that it can run
}

// Result is a request's answer. Value belongs to the Reader.
type Result struct {
	ID          uint64
	Interval    Interval // echoed for interval tasks
	HasInterval bool
	Seconds     float64 // wall time that the task ran, without waiting
	Began       float64 // when it began, on the clock of [Now]; 0 without Trace
	Value       []byte  // encoded
}

// Fail is the answer to a request that came to nothing.
type Fail struct {
	ID    uint64
	Error string
	Stack string // of a panic; may be empty
}

// AtTerminal stands in what a child prints on standard error, before it exits
// with code 2, when its standard input is a terminal.
const AtTerminal = "standard input, which is a terminal here"

// Bye is a child's account of itself.
type Bye struct {
	Usage
	RanOn string // CPUs on which it was seen, as a list; "" if unknown
	GC    *GC    // nil unless Open asked for a trace
}

// GC is what the garbage collector did in a child.
type GC struct {
	Cycles       Count
	PauseSeconds float64 // in which the whole program stood still
}

// A Fault is a stream that breaks the protocol. Nothing after it can be trusted.
type Fault struct {
	Reason string
	First  []byte // the first bytes of the message at fault, at most 32
	Err    error  // what caused it, or nil
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

// Unwrap gives the cause, such as io.ErrUnexpectedEOF for a stream that was cut.
func (f *Fault) Unwrap() error { return f.Err }

func fault(msg []byte, cause error, format string, args ...any) *Fault {
	return &Fault{Reason: fmt.Sprintf(format, args...), First: append([]byte(nil), msg[:min(len(msg), 32)]...), Err: cause}
}
