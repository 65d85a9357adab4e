// Package ipc defines what a parent and a child (a worker process) say to each
// other on the child's standard input and output. It reads and writes bytes and
// messages. It starts no process, runs no task and decides nothing.
//
// The protocol is public, and its number is 1. A program in any language that has a
// msgpack library can drive a child: `procpool child`, or a Go program that calls
// pool.Main, with the argument procpool-child. It can also be a child itself.
//
// # Streams
//
// Each direction is a stream of messages. A message is a msgpack map with exactly
// one key, the kind of the message. The value is its body, which is a map too. Newline
// bytes between messages (msgpack reads each as the integer 10) are skipped. A
// child writes one after each message, because carriers such as srun forward output
// line by line.
//
// In the bodies below, uint is an integer that is not negative, int any integer, num
// an integer or a float, str a string and any any value. Integers may have any width.
// The order of keys does not matter, and unknown keys in a body are ignored.
//
// # To a child, on stdin
//
//	{"open": {"protocol": 1, "heartbeat_seconds": num, "max_message_bytes": uint}}
//	    Turns on supervision. It is optional, and only allowed as the first message.
//	    See below. With "trace": true the child reports more, as marked with (trace).
//	{"request": {"id": uint, "task": str, "arg": any}}
//	    Asks for a piece of work. For a task over intervals, arg is
//	    {"start": int, "end": int}: the indices from start to end-1, with
//	    0 <= start <= end <= 2^62, and perhaps "with": any, what the task needs besides.
//	    Three more keys of request may follow: "timeout_seconds": num
//	    is the deadline of the task's context, "index": uint the place of an input in
//	    its sequence, and "attempt": uint how many children met this work before.
//	    A child whose hello has "batches": true may also be sent "args": [any] in place of
//	    arg: so many requests in one message, with one id and one index after the other.
//	    Each has its own answer, and can be cancelled, as if it had come alone.
//	{"cancel": {"id": uint}}
//	    Asks for the answer to a request no more; only after open. A request that has
//	    not been begun is not run: it is answered at once by a fail with "begun": false,
//	    ahead of those before it. Of one that runs, the task's context is cancelled,
//	    and it is answered with whatever comes of that. With "queued": true one that
//	    runs is left alone. An id that has been answered is ignored.
//	{"beat": {}}
//	    Says that the parent is alive.
//	{"end": {}}
//	    Says that no more requests will come. The child answers those that it has,
//	    says bye and exits with code 0. From then on the parent may be silent or close
//	    the stream, and the child ignores whatever still comes.
//
// # From a child, on stdout
//
//	{"hello": {"protocol": 1, "build": str, "pid": int, "host": str,
//	           "cpus": str, "tasks": [str]}}
//	    Always comes first, before the child has read anything. build identifies the
//	    program; a pool accepts only children of its own build, unless it was given the
//	    command line of another program (see docs/wire.md). cpus lists the CPUs that the child may use, as in "0-3,8", and is "" if unknown.
//	    build and host are printed in messages, so they are printable text of at most
//	    1,024 and 255 bytes. With "start_error": str the child cannot work, says why,
//	    and exits. With "beats": true it beats after open, also while a task runs, and
//	    leaves when the parent is silent. With "batches": true it understands requests with
//	    args. "about": {str: {"version": str, "grain": uint, "exact": bool}} says of its
//	    tasks what is not version "1", grain 1 and false.
//	{"result": {"id": uint, "seconds": num, "value": any}}
//	    Answers a request. seconds is how long the task ran. A result of a task over
//	    intervals also has the "start" and "end" of the request.
//	    (trace) "began": num is when the task began, see [Now]. The results of requests
//	    that came as a batch, and have ids that follow each other, can come in one message:
//	    {"result": {"id": uint, "answers": [num, any, num, any, ...]}} has the first id, and
//	    seconds and value of each.
//	{"fail": {"id": uint, "error": str, "stack": str}}
//	    Answers a request that has no result: the task returned an error or panicked
//	    (then stack is not ""), the child does not know the task, the interval is
//	    invalid, or the result is too long. The child goes on. "begun": false answers a
//	    cancel, see there; "timeout": true says that the task returned because its
//	    timeout_seconds were over; "is": [uint] lists which of the errors that the task
//	    names it is.
//	{"beat": {}}
//	    Says that the child is alive, also while a task runs.
//	{"bye": {"user_seconds": num, "system_seconds": num, "peak_rss_bytes": uint,
//	         "minor_faults": uint, "major_faults": uint, "voluntary_switches": uint,
//	         "involuntary_switches": uint, "migrations": uint}}
//	    Always comes last, and says what the process has used. A count that the system
//	    does not tell is nil. "ran_on": str lists CPUs on which the child was seen; it
//	    may be missing. (trace) "gc_cycles": uint and "gc_pause_seconds": num. With
//	    "parent_silent": true the child leaves because the parent was silent for too
//	    long, whatever it has not answered.
//
// The first bytes of hello must be 0x81 0xa5 and the word hello: a parent searches
// for them, because a launcher may print up to 64 KiB of other text before. That is
// the shortest encoding, which msgpack libraries use by default.
//
// # Conversation
//
// The shortest conversation has only requests and the end of the stream, so
// `procpool child < requests > replies` works from any program.
//
// A child works in order of arrival, one request at a time, and answers in that
// order. It writes a result within 20 ms, even while the next task runs. A parent leaves
// at most [MaxPending] requests unanswered, and must read answers while it writes
// requests: a child whose answers nobody reads stops reading. After open a child
// always reads.
//
// Without open, the end of the stream means end. A child that was not opened knows
// no heartbeats.
//
// After open, each side sends a beat when it has sent nothing else for about a quarter
// of heartbeat_seconds. A side that receives no bytes for longer than heartbeat_seconds
// takes the other for lost; with 0 it never does. The end of the stream without end
// means that the parent is lost. A child that lost its parent, or whose output
// nobody can read any more, exits at once, also while a task runs. Open also sets the
// largest length of a message in bytes, in both directions; otherwise it is
// [DefaultLimit].
//
// After open a child does not die of SIGINT and SIGTERM: the parent decides what they
// mean. A child must keep what its tasks print off its stdout.
//
// A stream that ends without bye is a failure, whatever the exit code.
//
// # Errors in the stream
//
// A reader first finds the end of a message, and only then decodes it. It follows
// the headers without recursion, at most [MaxDepth] levels deep and up to the largest
// length of a message, and allocates nothing for a length before the bytes have
// arrived.
//
// It is an error if a message is not a map of one key, its kind is unknown or does not
// belong in this direction, a key of the body is missing or occurs twice, an integer
// does not fit, or an integer or a 32-bit float comes where a 64-bit float is expected
// (in the value of a task that returns a float). In values NaN and infinities are
// valid; the seconds of result and bye are from 0 to 1e12, and counts up to 2^53.
//
// After an error, a [Fault], the stream is useless. A child prints the error on stderr
// and exits with code 1 and without bye. A parent replaces the child.
//
// # Values
//
// An arg and a value are Go values of any type, if both ends are Go programs. In
// another language they look like this:
//
//	bool, integers, floats, strings   as in msgpack. A float32 is a 32-bit float
//	[]byte, [4]byte                   bin, or str when it is read
//	slices and arrays                 array
//	maps                              map. A key occurs once
//	structs                           map of the fields' names, as tags msgpack:"name" say, see
//	                                  fields.go; unknown keys are ignored
//	pointers                          what they point to
//	nil slices, maps, pointers        nil
//	any                               bool, integer, float, str, bin, array, map with keys of str
//	time.Time                         bin of its binary form; a timestamp (extension -1) or an
//	                                  RFC 3339 str when it is read
//	big.Int, big.Rat                  bin of its text, or str when it is read
//	big.Float                         bin of its gob form
//	types that encode themselves      what EncodeMsgpack or MarshalMsgpack writes, or bin of
//	                                  AppendBinary, MarshalBinary or MarshalText
//
// What cannot arrive as it was sent is refused before it is sent, see [CheckType] and
// [ValueError].
//
// # Reading order of the source
//
// interval.go and ledger.go (intervals, and which of them are covered), message.go
// (the messages), append.go (writing them), scan.go and reader.go (finding messages in
// a stream), parse.go and cursor.go (reading messages), value.go (args and values),
// codec.go, encode.go, decode.go, fields.go and any.go (those of all types), form.go
// and custom.go (types that encode themselves), types.go (what cannot be sent).
package ipc
