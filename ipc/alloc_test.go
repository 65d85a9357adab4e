package ipc

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// A loop is a reader that returns the same bytes over and over.
type loop struct {
	b []byte
	i int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.b[l.i:])
	l.i = (l.i + n) % len(l.b)
	return n, nil
}

// Neither side allocates for the request and the result of a chunk.
func TestNothingIsAllocatedForAChunk(t *testing.T) {
	request := AppendInterval(AppendRequestHead(nil, 1<<20, "pi"), Interval{1 << 40, 1 << 41})
	value := 3.14
	head := AppendResultHead(nil, Result{ID: 1 << 20, Interval: Interval{1 << 40, 1 << 41}, HasInterval: true, Seconds: 0.1})
	result, err := AppendValue(head, &value)
	if err != nil {
		t.Fatal(err)
	}
	in := NewReader(&loop{b: request}, 0)
	out := NewReader(&loop{b: append(result, '\n')}, 0)
	var dst []byte
	var got float64
	round := func() {
		m, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRequest(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		iv, err := ParseInterval(r.Arg)
		if err != nil {
			t.Fatal(err)
		}
		dst = AppendResultHead(dst[:0], Result{ID: r.ID, Interval: iv, HasInterval: true, Seconds: 1})
		if dst, err = AppendValue(dst, &value); err != nil {
			t.Fatal(err)
		}
		m, err = out.Next()
		if err != nil {
			t.Fatal(err)
		}
		answer, err := ParseResult(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := DecodeValue(answer.Value, &got); err != nil || got != value {
			t.Fatal(got, err)
		}
		dst = AppendInterval(AppendRequestHead(dst[:0], r.ID, "pi"), iv)
	}
	if n := testing.AllocsPerRun(10000, round); n != 0 {
		t.Errorf("%v allocations per chunk", n)
	}
	for _, n := range []int{10, 300, 70000} {
		p := partial{n, 1}
		buf := make([]byte, 0, 2*n)
		bare := testing.AllocsPerRun(100, func() { p.AppendBinary(buf) })
		if got := testing.AllocsPerRun(100, func() { AppendValue(buf, &p) }); got > bare {
			t.Errorf("%v allocations for a binary partial of %d bytes, %v of them its own", got, n, bare)
		}
	}
}

// allocated returns the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A header with a length of gigabytes makes the reader allocate its first buffer and
// no more.
func TestHostileHeadersAllocateNothing(t *testing.T) {
	const bound = firstBuffer + 16<<10
	for _, header := range []string{
		"\xdb\xff\xff\xff\xff", "\xc6\x7f\xff\xff\xff", "\xdd\x7f\xff\xff\xff", "\xdf\x3f\xff\xff\xff", "\xc9\x7f\xff\xff\xff\x01",
		"\xdd\x00\x0f\xff\x00", "\xdf\x00\x07\xff\x00", "\xc6\x00\x0f\xff\x00", "\xdb\x00\x0f\xff\x00", // just under the default limit
	} {
		for _, limit := range []int64{0, MaxLimit} {
			stream := append([]byte("\x81\xa7request"), header...)
			if n := allocated(func() { readAll(NewReader(bytes.NewReader(stream), limit)) }); n > bound {
				t.Errorf("%q with limit %d: %d bytes allocated", header, limit, n)
			}
		}
		b := []byte(header)
		for name, decode := range map[string]func() error{
			"[]float64": func() error { return DecodeValue(b, new([]float64)) },
			"[]int":     func() error { return DecodeValue(b, new([]int)) },
			"[]any":     func() error { return DecodeValue(b, new([]any)) },
			"any":       func() error { return DecodeValue(b, new(any)) },
			"map":       func() error { return DecodeValue(b, new(map[string]any)) },
			"[]byte":    func() error { return DecodeValue(b, new([]byte)) },
			"string":    func() error { return DecodeValue(b, new(string)) },
			"struct":    func() error { return DecodeValue(b, new(everything)) },
			"request":   func() error { _, err := ParseRequest(b); return err },
			"hello":     func() error { _, err := ParseHello(b); return err },
		} {
			if n := allocated(func() {
				if decode() == nil {
					t.Errorf("%q is decoded as %s", header, name)
				}
			}); n > bound {
				t.Errorf("%q as %s: %d bytes allocated", header, name, n)
			}
		}
	}
}

// The buffer of a long message is a small multiple of what has arrived.
func TestCutMessagesAllocateWhatArrived(t *testing.T) {
	for _, arrived := range []int{100 << 10, 1 << 20, 9 << 20} {
		stream := io.LimitReader(bytes.NewReader(blob(100<<20)), int64(arrived))
		if n := allocated(func() { readAll(NewReader(stream, MaxLimit)) }); n > uint64(5*arrived)+firstBuffer {
			t.Errorf("%d bytes allocated for %d", n, arrived)
		}
	}
}
