// Package ipc is procpool's wire: what a parent and a child say to each other
// on the child's standard input and output. It knows bytes and messages; it
// starts no process, runs no task and decides nothing.
//
// The wire is a public protocol, number 1. Any language's msgpack library can
// drive a child (`procpool child`), and any program that answers this way can
// be one.
//
// # Streams
//
// Both directions are plain streams of msgpack maps. Every map has exactly one
// key, which names the message's kind; its value is the body, a map again.
// Newline bytes between messages (to msgpack each is the integer 10) are
// skipped. A child writes one after each message, because carriers such as
// srun hand output on by the line.
//
//	to a child (stdin)
//	  {"request": {"id": uint, "task": str, "arg": any}}
//	      one piece of work. For an interval task arg is
//	      {"start": int, "end": int}, half-open, 0 <= start <= end <= 2^62
//	  {"open": {"protocol": 1, "heartbeat_seconds": num, "max_message_bytes": uint}}
//	      optional, and only as the first message: from then on both sides send
//	      beats, silence for longer than heartbeat_seconds (0 = off) means that
//	      the other is lost, and EOF without end means that the parent is lost.
//	      With a fourth pair, "trace": true, results have "began": num, when
//	      they were begun, and bye has "gc_cycles": uint and "gc_pause_seconds": num
//	  {"beat": {}}   still here
//	  {"end": {}}    no more work: answer what is pending, say bye, exit 0.
//	                 Without open, EOF says the same. After end a parent may
//	                 be silent or close the stream; what it still says is ignored
//
//	from a child (stdout)
//	  {"hello": {"protocol": 1, "build": str, "pid": int, "host": str,
//	             "cpus": str, "tasks": [str]}}
//	      always first, unasked. cpus is the list of CPUs that it may use, "" if unknown
//	  {"result": {"id": uint, "seconds": num, "value": any}}
//	      the value computed; interval tasks also echo "start" and "end"
//	  {"fail": {"id": uint, "error": str, "stack": str}}
//	      the task returned an error or panicked, or a readable request was
//	      wrong (unknown task, bad interval, result over the limit). The child goes on
//	  {"beat": {}}   still here, also in the middle of a long chunk
//	  {"bye": {"user_seconds": num, "system_seconds": num, "peak_rss_bytes": uint,
//	           "minor_faults": uint, "major_faults": uint, "voluntary_switches": uint,
//	           "involuntary_switches": uint, "migrations": uint}}
//	      also "ran_on": str, the CPUs on which it was seen, where known
//	      always last; a figure that the system does not tell is nil.
//	      A stream that ends without bye is a failure, whatever the exit code
//
// The shortest conversation needs only requests and EOF, so
// `procpool child < requests > replies` works from any program. A child works
// in order of arrival, one request at a time, and answers in that order. A
// result leaves at the latest 20 ms after it was computed, also while the next
// one is being computed. A parent keeps at most [MaxPending] requests
// unanswered, and reads answers while it writes: without open, a child whose
// answers nobody takes stops reading. After open it never does.
//
// # Delimit, then decode
//
// A message is first delimited: an iterative scan that follows the headers,
// at most [MaxDepth] deep and at most as long as the limit ([DefaultLimit], or what
// open says), and that allocates nothing for a length before its bytes have
// arrived. Only then is it decoded. Unknown keys in a body are ignored. A
// missing key, a known key that stands twice, an integer that does not fit and
// an integer where a float belongs are errors. NaN and infinities pass unchanged.
//
// What cannot be delimited or decoded is a [Fault]: the stream is of no more
// use. A child says so on stderr and exits 1 without bye; a parent replaces
// the child.
//
// # Reading order
//
// interval.go (what work is), message.go (what is said), append.go (how it is
// written), scan.go and reader.go (how a stream is cut into messages), parse.go
// and cursor.go (how a message is read), value.go, conform.go and carries.go (the
// payloads: args and values), ledger.go (which intervals are covered).
package ipc
