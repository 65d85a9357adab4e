package child

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"procpool/ipc"
)

// A conversation has the messages of a parent and the answers it expects.
type conversation struct {
	name    string
	sends   [][]byte
	answers []string // prefix of each message
	err     string   // part of Serve's error; "" means no error and a bye at the end
}

func raw(s string) []byte { return []byte(s) }

// conversations is a function because the test binary is also the worker, which
// would build a variable at every start.
func conversations() []conversation {
	return []conversation{
		{"nothing", nil, nil, ""},
		{"only newlines", [][]byte{raw("\n\n\n")}, nil, ""},
		{"only end", [][]byte{endMessage}, nil, ""},
		{"requests and EOF", [][]byte{sum(1, "null", 0, 5), sum(2, "null", 5, 7), raw("\n"), sum(1<<40, "null", 7, 7)},
			[]string{"result 1 [0, 5) 00", "result 2 [5, 7) 00", "result 1099511627776 [7, 7) 00"}, ""},
		{"open, requests and end", [][]byte{open(0, 1<<20), sum(7, "pi", 0, 1), call(8, "double", 21), ipc.AppendBeat(nil), call(9, "worker", 0), endMessage},
			[]string{"result 7 [0, 1) cb4010000000000000", "result 8 2a", "result 9 03"}, ""},
		{"what follows end is ignored", [][]byte{open(0, 1<<20), call(1, "double", 1), endMessage, call(2, "double", 1), raw("garbage")}, []string{"result 1 02"}, ""},
		{"an unknown task", [][]byte{call(1, "nope", 1), call(2, "double", 1), call(3, strings.Repeat("n", 500), 1), call(4, "double", 2)},
			[]string{`fail 1 this program has no task "nope"`, "result 2 02", `fail 3 this program has no task "nnn`, "result 4 04"}, ""},
		{"a task that cannot run", [][]byte{call(1, "bad type", 1), call(2, "double", 1)},
			[]string{`fail 1 task "bad type": chan int: a chan cannot be sent`, "result 2 02"}, ""},
		{"bad intervals", [][]byte{sum(1, "null", 2, 1), sum(2, "null", -1, 1), sum(3, "null", 0, ipc.MaxIndex+1), call(4, "null", 1), call(5, "null", map[string]int{"start": 1}),
			sum(6, "grained", 5, 20), sum(7, "grained", 10, 25), call[any](8, "null", nil)},
			[]string{"fail 1 interval [2, 1) starts beyond its end", "fail 2 interval [-1, 1) starts below 0", "fail 3 interval [0, 4611686018427387905) ends beyond 2^62",
				"fail 4 protocol fault: interval: not a map", `fail 5 protocol fault: interval without "end"`, "fail 6 interval [5, 20) does not start on a multiple of the grain",
				"result 7 [10, 25) cb402e", "fail 8 protocol fault: interval: not a map"}, ""},
		{"bad inputs", [][]byte{call(1, "double", "x"), call(2, "double", 1.0), call[any](3, "double", nil), call(4, "double", uint64(1<<63))},
			[]string{"fail 1 input: value: not an integer", "fail 2 input: value: not an integer", "fail 3 input: value: not an integer", "fail 4 input: value: integer does not fit"}, ""},
		{"errors and panics", [][]byte{call(1, "err", "no way"), call(2, "panic", "oh"), call(3, "err", "caf\xe9"), call(4, "double", 1)},
			[]string{"fail 1 no way", "fail 2 panic: oh with a stack", "fail 3 caf?", "result 4 02"}, ""},
		{"over the limit", [][]byte{open(0, 1000), call(1, "repeat", 1000), call(2, "repeat", 800), call(3, "double", 1)},
			[]string{"fail 1 the result of 1003 bytes is over the limit of 1000 bytes", "result 2 da0320", "result 3 02"}, "the parent is lost"},
		{"over the limit, without open", [][]byte{call(1, "repeat", 1<<20), call(2, "repeat", 1<<20-200)},
			[]string{"fail 1 the result of 1048581 bytes is over the limit of 1048576 bytes", "result 2 db000fff38"}, ""},
		{"over a limit of one byte", [][]byte{open(0, 1), raw("\x81")}, nil, "over the limit of 1 bytes"},
		{"a larger limit", [][]byte{open(0, 5<<20), call(1, "length", make([]byte, 4<<20)), call(2, "repeat", 4<<20), endMessage},
			[]string{"result 1 ce00400000", "result 2 db00400000"}, ""},
		{"EOF after open", [][]byte{open(0, 1000)}, nil, "the parent is lost"},
		{"cut after open", [][]byte{open(0, 1000), sum(1, "null", 0, 9)[:9]}, nil, "the parent is lost"},
		{"cut", [][]byte{sum(1, "null", 0, 9)[:9]}, nil, "cut in the middle of a message"},
		{"cut in open", [][]byte{open(1, 1000)[:9]}, nil, "cut in the middle of a message"},
		{"late open", [][]byte{call(1, "double", 1), open(0, 1000)}, []string{"result 1 02"}, "open is not the first message"},
		{"open twice", [][]byte{open(0, 1000), open(0, 1000)}, nil, "open is not the first message"},
		{"another protocol", [][]byte{bytes.Replace(open(0, 1000), raw("protocol\x01"), raw("protocol\x02"), 1)}, nil, "open speaks protocol 2, this is protocol 1"},
		{"bad heartbeat", [][]byte{open(-1, 1000)}, nil, "heartbeat_seconds -1 is not between"},
		{"text", [][]byte{raw("hello?\n")}, nil, `not a map of one pair (first bytes "hello?\n")`},
		{"two keys", [][]byte{raw("\x82\xa4beat\x80\xa3end\x80")}, nil, "not a map of one pair"},
		{"unknown kind", [][]byte{raw("\x81\xa4stop\x80")}, nil, "unknown kind"},
		{"a child's message", [][]byte{ipc.AppendBye(nil, ipc.Bye{})}, nil, `a parent does not say "bye"`},
		{"a request without id", [][]byte{raw("\x81\xa7request\x82\xa4task\xa1x\xa3arg\xc0")}, nil, `request without "id"`},
		{"a request over the limit", [][]byte{raw("\x81\xa7request\xc6\x00\x10\x00\x00")}, nil, "over the limit of 1048576 bytes"},
		{"Goexit", [][]byte{call(1, "goexit", 1)}, nil, "a task ended its goroutine"},
	}

}

func TestConversations(t *testing.T) {
	for _, c := range conversations() {
		t.Run(c.name, func(t *testing.T) {
			k := serve(t)
			go func() {
				k.in.Write(bytes.Join(c.sends, nil))
				k.in.Close()
			}()
			got := []string{}
			for len(got) < 20 {
				s := k.next(false)
				if s == "EOF" {
					break
				}
				got = append(got, s)
			}
			want := c.answers
			if c.err == "" {
				want = append(slices.Clone(want), "bye")
			}
			// An error may end the conversation before all answers are written.
			short := c.err != "" && len(got) < len(want)
			if !short && !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("got\n%.200q\nwant\n%q", got, want)
			}
			err := k.end()
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("Serve returns %v, want %q", err, c.err)
			}
			if cut := strings.HasPrefix(c.name, "cut") && c.err != errParentLost.Error(); cut && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v is not io.ErrUnexpectedEOF", err)
			}
		})
	}
}
