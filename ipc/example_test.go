package ipc_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"procpool/ipc"
)

// The second grid cuts only at multiples of 8.
func ExampleSplitGrid() {
	fmt.Println(slices.Collect(ipc.SplitGrid(ipc.Interval{End: 10}, 4, 1).All()))
	fmt.Println(slices.Collect(ipc.SplitGrid(ipc.Interval{End: 100}, 3, 8).All()))
	// Output:
	// [[0, 2) [2, 4) [4, 6) [6, 10)]
	// [[0, 32) [32, 64) [64, 100)]
}

// A grid of a million parts takes no memory.
func ExampleChunkGrid() {
	fmt.Println(slices.Collect(ipc.ChunkGrid(ipc.Interval{End: 10}, 4).All()))
	g := ipc.ChunkGrid(ipc.Interval{End: 1e9}, 1000)
	fmt.Println(g.N, g.At(999999))
	// Output:
	// [[0, 4) [4, 8) [8, 10)]
	// 1000000 [999999000, 1000000000)
}

func ExampleInterval() {
	iv := ipc.Interval{Start: 3, End: 10}
	fmt.Println(iv, iv.Len(), iv.Validate())
	fmt.Println(ipc.Interval{Start: 10, End: 3}.Validate() != nil)
	// Output:
	// [3, 10) 7 <nil>
	// true
}

func ExampleLedger() {
	var l ipc.Ledger
	fmt.Println(l.Add(ipc.Interval{Start: 0, End: 4}), l.Add(ipc.Interval{Start: 6, End: 10}))
	var overlap *ipc.OverlapError
	fmt.Println(errors.As(l.Add(ipc.Interval{Start: 3, End: 5}), &overlap))
	fmt.Println(l.Total(), l.Covers(ipc.Interval{End: 10}))
	fmt.Println(slices.Collect(l.Runs()), slices.Collect(l.Gaps(ipc.Interval{End: 10})))
	// Output:
	// <nil> <nil>
	// true
	// 8 false
	// [[0, 4) [6, 10)] [[4, 6)]
}

func ExampleAppendValue() {
	type point struct{ X, Y int }
	in := []point{{1, 2}, {3, 4}}
	value, err := ipc.AppendValue(nil, &in)
	if err != nil {
		fmt.Println(err)
		return
	}
	var out []point
	fmt.Println(ipc.DecodeValue(value, &out), out)
	// Output: <nil> [{1 2} {3 4}]
}

// Decoding is strict: an integer is not a float.
func ExampleDecodeValue() {
	one := 1
	value, _ := ipc.AppendValue(nil, &one)
	var f float64
	fmt.Println(ipc.DecodeValue(value, &f))
	// Output: value: not a float
}

func ExampleTakeValue() {
	in := []byte("large")
	value, _ := ipc.AppendValue(nil, &in)
	var out []byte
	fmt.Println(ipc.TakeValue(value, &out), string(out), &out[0] == &value[len(value)-len(in)])
	// Output: <nil> large true
}

func ExampleCheckType() {
	fmt.Println(ipc.CheckType(reflect.TypeFor[map[string][]float64]()))
	fmt.Println(ipc.CheckType(reflect.TypeFor[chan int]()))
	// Output:
	// <nil>
	// chan int: a chan cannot be sent to another process
}

// The messages of a parent, and how a child reads them.
func ExampleReader() {
	b := ipc.AppendOpen(nil, ipc.Open{HeartbeatSeconds: 30, MaxMessageBytes: 1 << 20})
	b = ipc.AppendBeat(b)
	b = ipc.AppendInterval(ipc.AppendRequestHead(b, 7, "pi"), ipc.Interval{Start: 100, End: 200})
	b = ipc.AppendEnd(b)
	r := ipc.NewReader(bytes.NewReader(b), 0)
	for {
		m, err := r.Next()
		if err == io.EOF {
			break
		}
		fmt.Print(m.Kind)
		switch m.Kind {
		case ipc.KindOpen:
			o, err := ipc.ParseOpen(m.Body)
			fmt.Printf(" %v s, %d bytes, %v", o.HeartbeatSeconds, o.MaxMessageBytes, err)
		case ipc.KindRequest:
			q, err := ipc.ParseRequest(m.Body)
			iv, _ := ipc.ParseInterval(q.Arg)
			fmt.Printf(" %d %s %v %v", q.ID, q.Task, iv, err)
		}
		fmt.Println()
	}
	// Output:
	// open 30 s, 1048576 bytes, <nil>
	// beat
	// request 7 pi [100, 200) <nil>
	// end
}

// The messages of a child after a launcher's banner, and how a parent reads them.
func ExampleReader_Hello() {
	pi := 3.14
	b := ipc.AppendHello([]byte("Welcome!\n"), ipc.Hello{Build: "b", PID: 42, Host: "h", CPUs: "0-3", Tasks: []string{"pi"}})
	b = ipc.AppendResultHead(b, ipc.Result{ID: 7, Seconds: 0.5})
	b, _ = ipc.AppendValue(b, &pi)
	b = ipc.AppendFail(append(b, '\n'), ipc.Fail{ID: 8, Error: "no"})
	b = ipc.AppendBye(b, ipc.Bye{Usage: ipc.Usage{UserSeconds: 1, Counters: ipc.Counters{PeakRSSBytes: ipc.CountOf(1 << 20)}}})

	r := ipc.NewReader(bytes.NewReader(b), 0)
	hello, noise, err := r.Hello()
	fmt.Printf("%q %v %v\n", noise, hello.Tasks, err)
	m, _ := r.Next()
	result, _ := ipc.ParseResult(m.Body)
	fmt.Println(result.ID, result.Seconds, ipc.DecodeValue(result.Value, &pi), pi)
	m, _ = r.Next()
	fail, _ := ipc.ParseFail(m.Body)
	fmt.Println(fail.ID, fail.Error)
	m, _ = r.Next()
	bye, _ := ipc.ParseBye(m.Body)
	fmt.Println(bye.UserSeconds, bye.PeakRSSBytes, bye.Migrations)
	// Output:
	// "Welcome!\n" [pi] <nil>
	// 7 0.5 <nil> 3.14
	// 8 no
	// 1 1048576 -
}

func ExampleParseHello() {
	r := ipc.NewReader(bytes.NewReader(ipc.AppendHello(nil, ipc.Hello{Build: "b", PID: 42})), 0)
	m, _ := r.Next()
	h, err := ipc.ParseHello(m.Body)
	fmt.Println(m.Kind, h.PID, err)
	// Output: hello 42 <nil>
}

// Kept parts stay valid when the reader continues.
func ExampleReader_Keep() {
	var b []byte
	for _, word := range []string{"one", "two"} {
		b, _ = ipc.AppendValue(ipc.AppendRequestHead(b, 1, "t"), &word)
	}
	r := ipc.NewReader(bytes.NewReader(b), 0)
	var args [][]byte
	for range 2 {
		m, _ := r.Next()
		q, _ := ipc.ParseRequest(m.Body)
		args = append(args, r.Keep(q.Arg))
	}
	fmt.Printf("%q\n", args)
	// Output: ["\xa3one" "\xa3two"]
}

func ExampleFault() {
	_, err := ipc.NewReader(bytes.NewReader([]byte("Hello!")), 0).Next()
	var fault *ipc.Fault
	fmt.Println(errors.As(err, &fault), err)
	// Output: true protocol fault: not a map of one pair (first bytes "Hello!")
}

// A parent accepts only workers of its own build.
func ExampleBuild() {
	fmt.Println(ipc.Build() != "")
	// Output: true
}
