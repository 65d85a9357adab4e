package ipc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// conversation returns a stream with a message of every kind and newlines between
// some of them. clean[i] says that the first i bytes end between two messages.
func conversation() (stream []byte, kinds []Kind, clean map[int]bool) {
	clean = map[int]bool{0: true}
	add := func(b []byte, k Kind, newlines string) {
		b = bytes.TrimSuffix(b, []byte(newlines))
		clean[len(b)] = true
		for range newlines {
			b = append(b, '\n')
			clean[len(b)] = true
		}
		stream, kinds = b, append(kinds, k)
	}
	add(AppendHello(stream, Hello{Build: "b", Tasks: []string{"pi", "null"}}), KindHello, "\n")
	add(AppendOpen(stream, Open{MaxMessageBytes: 1}), KindOpen, "")
	add(AppendInterval(AppendRequestHead(stream, 1, "pi"), Interval{10, 20}), KindRequest, "\n\n")
	add(AppendInterval(AppendRequestHead(stream, 10, "pi"), Interval{0, 10}), KindRequest, "") // its last byte is 10, like a newline
	add(append(AppendResultHead(stream, Result{ID: 10, HasInterval: true}), "\xcb@\x09\x21\xfbTD-\x18\n"...), KindResult, "\n")
	add(AppendBeat(stream), KindBeat, "\n")
	add(AppendFail(stream, Fail{ID: 1 << 40, Error: "no\nway", Stack: "\n\n"}), KindFail, "\n")
	add(AppendEnd(stream), KindEnd, "")
	add(AppendBye(stream, Bye{}), KindBye, "\n")
	add(append(stream, "\xde\x00\x01\xd9\x04beat\x80"...), KindBeat, "") // longer encodings of a beat
	add(append(stream, "\xdf\x00\x00\x00\x01\xdb\x00\x00\x00\x04beat\xde\x00\x00"...), KindBeat, "\n\n\n")
	return stream, kinds, clean
}

// readAll reads messages until an error, which is io.EOF at the end of the stream.
func readAll(r *Reader) (msgs []string, err error) {
	for {
		m, err := r.Next()
		if err != nil {
			return msgs, err
		}
		msgs = append(msgs, fmt.Sprintf("%v %x", m.Kind, m.Body))
	}
}

// It makes no difference how a stream is divided into reads.
func TestReaderInAnyReads(t *testing.T) {
	stream, kinds, _ := conversation()
	want, err := readAll(NewReader(bytes.NewReader(stream), 0))
	if err != io.EOF || len(want) != len(kinds) {
		t.Fatalf("%d messages, %v", len(want), err)
	}
	for i, k := range kinds {
		if !strings.HasPrefix(want[i], k.String()+" ") {
			t.Errorf("message %d is %q, want %v", i, want[i], k)
		}
	}
	for name, src := range map[string]io.Reader{
		"a byte at a time":      iotest.OneByteReader(bytes.NewReader(stream)),
		"half of what is asked": iotest.HalfReader(bytes.NewReader(stream)),
		"EOF with the data":     iotest.DataErrReader(bytes.NewReader(stream)),
		"odd reads":             &oddReader{bytes.NewReader(stream), rand.New(rand.NewPCG(1, 2)), 13},
	} {
		got, err := readAll(NewReader(src, 0))
		if err != io.EOF || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// An oddReader reads from 0 to most bytes at a time.
type oddReader struct {
	r    io.Reader
	rand *rand.Rand
	most int
}

func (o *oddReader) Read(b []byte) (int, error) {
	return o.r.Read(b[:min(len(b), o.rand.IntN(o.most+1))])
}

// The end of a stream between two messages is io.EOF, and within a message a fault.
func TestReaderCutAnywhere(t *testing.T) {
	stream, _, clean := conversation()
	for cut := range stream {
		for _, src := range []io.Reader{bytes.NewReader(stream[:cut]), iotest.OneByteReader(bytes.NewReader(stream[:cut]))} {
			_, err := readAll(NewReader(src, 0))
			var f *Fault
			if clean[cut] && err != io.EOF || !clean[cut] && (!errors.As(err, &f) || !errors.Is(err, io.ErrUnexpectedEOF)) {
				t.Errorf("cut at %d: %v; clean is %v", cut, err, clean[cut])
			}
		}
	}
}

func TestReaderFaults(t *testing.T) {
	deep := func(n int) string { return "\x81\xa4beat" + strings.Repeat("\x91", n-1) + "\xc0" }
	for _, c := range []struct {
		name, stream, text string
	}{
		{"two keys", "\x82\xa4beat\x80\xa3end\x80", "not a map of one pair"},
		{"two keys in a long map", "\xde\x00\x02\xa4beat\x80\xa3end\x80", "not a map of one pair"},
		{"no key", "\x80", "not a map of one pair"},
		{"text", "Hello, world\n", "not a map of one pair"},
		{"an integer", "\x0b", "not a map of one pair"},
		{"nil", "\xc0", "not a map of one pair"},
		{"a list", "\x91\x01", "not a map of one pair"},
		{"unknown kind", "\x81\xa4brat\x80", "unknown kind"},
		{"a kind that is a number", "\x81\x07\x80", "unknown kind"},
		{"a kind that is bin", "\x81\xc4\x04beat\x80", "unknown kind"},
		{"a kind that is a map", "\x81\x81\x01\x01\x80", "unknown kind"},
		{"the zero kind", "\x81\xa4none\x80", "unknown kind"},
		{"0xc1", "\x81\xa4beat\xc1", "0xc1"},
		{"0xc1 as key", "\x81\xc1", "0xc1"},
		{"depth 257", deep(257), "nested too deep"},
		{"depth 100000", deep(100000), "nested too deep"},
		{"str of 4 GiB", "\x81\xa4beat\xdb\xff\xff\xff\xff", "over the limit"},
		{"bin of 4 GiB", "\x81\xa4beat\xc6\xff\xff\xff\xff", "over the limit"},
		{"ext of 4 GiB", "\x81\xa4beat\xc9\xff\xff\xff\xff\x01", "over the limit"},
		{"array of 4 Gi", "\x81\xa4beat\xdd\xff\xff\xff\xff", "over the limit"},
		{"map of 4 Gi", "\x81\xa4beat\xdf\xff\xff\xff\xff", "over the limit"},
		{"outer map of 4 Gi", "\xdf\xff\xff\xff\xff", "over the limit"},
		{"map of 2 Gi, whose count is 2^32", "\x81\xa4beat\xdf\x80\x00\x00\x00", "over the limit"},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
			// The valid message before shows that the fault is in the second one.
			_, err := readAll(NewReader(io.MultiReader(strings.NewReader("\x81\xa4beat\x80\n"), src), 0))
			var f *Fault
			if !errors.As(err, &f) || !strings.Contains(err.Error(), c.text) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v, want a fault with %q", c.name, err, c.text)
			} else if len(f.First) == 0 || !strings.HasPrefix(c.stream, string(f.First)) {
				t.Errorf("%s: First is %q", c.name, f.First)
			}
		}
	}
	if _, err := readAll(NewReader(strings.NewReader(deep(256)), 0)); err != io.EOF {
		t.Errorf("depth 256: %v", err)
	}
}

// Next returns a fault as soon as possible, before the message is complete.
func TestReaderFaultsEarly(t *testing.T) {
	never := iotest.ErrReader(errors.New("read on"))
	for _, s := range []string{"\x82", "G", "\x81\xa4beat\xc1", "\x81\xa4beat\xc6\x00\x10\x00\x00"} {
		var f *Fault
		if _, err := NewReader(io.MultiReader(strings.NewReader(s), never), 0).Next(); !errors.As(err, &f) {
			t.Errorf("%q: %v, want a fault", s, err)
		}
	}
	// An error of the source is returned as it is.
	if _, err := NewReader(io.MultiReader(strings.NewReader("\x81"), never), 0).Next(); err == nil || err.Error() != "read on" {
		t.Error(err)
	}
}

// blob returns a request of n bytes whose arg is bin.
func blob(n int) []byte {
	head := AppendRequestHead(nil, 1, "t")
	head = append(head, 0xc6, 0, 0, 0, 0)
	body := n - len(head)
	for i := range 4 {
		head[len(head)-1-i] = byte(body >> (8 * i))
	}
	return append(head, bytes.Repeat([]byte{0xc1}, body)...)
}

func TestReaderLimit(t *testing.T) {
	for _, limit := range []int64{100, 65536, 65537, 1 << 20} {
		stream := bytes.Repeat(blob(int(limit)), 3)
		if msgs, err := readAll(NewReader(bytes.NewReader(stream), limit)); err != io.EOF || len(msgs) != 3 {
			t.Errorf("messages of exactly the limit, %d bytes: %d, %v", limit, len(msgs), err)
		}
		r := NewReader(bytes.NewReader(blob(int(limit)+1)), limit)
		if _, err := readAll(r); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("over the limit of %d bytes", limit)) {
			t.Errorf("a message one byte longer than %d: %v", limit, err)
		}
		r.SetLimit(limit + 1)
		if _, err := readAll(NewReader(bytes.NewReader(blob(int(limit)+1)), r.limit)); err != io.EOF {
			t.Errorf("after SetLimit: %v", err)
		}
	}
}

func TestReaderLargeMessagesInOddReads(t *testing.T) {
	const size = 8 << 20
	want := blob(size)
	stream := append(append(append(AppendBeat(nil), want...), AppendBeat(nil)...), want...)
	r := NewReader(&oddReader{bytes.NewReader(stream), rand.New(rand.NewPCG(3, 4)), 200000}, size)
	for i, kind := range []Kind{KindBeat, KindRequest, KindBeat, KindRequest} {
		m, err := r.Next()
		if err != nil || m.Kind != kind {
			t.Fatalf("message %d: %v, %v", i, m.Kind, err)
		}
		if kind == KindRequest && !bytes.Equal(m.Body, want[len("\x81\xa7request"):]) {
			t.Fatalf("message %d has changed", i)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

func TestReaderFreesALargeBuffer(t *testing.T) {
	first, second := blob(8<<20), AppendBeat(nil)
	r := NewReader(io.MultiReader(bytes.NewReader(first), bytes.NewReader(second)), MaxLimit)
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.buf) > keepBuffer {
		t.Errorf("%d bytes are kept", cap(r.buf))
	}
}

func TestBuffered(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("\x81\xa4beat\x80\n\n\x81\xa3end\x80\x81"), strings.NewReader("\xa3end\x80\n\x81\xc1")), 0)
	for i, want := range []bool{false, true, false, true} {
		if got := r.Buffered(); got != want {
			t.Errorf("before message %d Buffered is %v", i, got)
		}
		// The last one is 0xc1, which Next refuses without reading.
		if _, err := r.Next(); (err == nil) != (i < 3) {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

func TestHelloAfterNoise(t *testing.T) {
	hello := AppendHello(nil, Hello{Build: "b", PID: 3})
	for name, noise := range map[string]string{
		"none":                  "",
		"a newline":             "\n",
		"a banner":              "Welcome to cluster!\nslurm: job 1\n",
		"half of the mark":      "\x81\xa5hel",
		"half, twice":           "\x81\xa5hell\x81\xa5hell",
		"the word":              "hello hello \x81\x81\xa5",
		"bytes like a message":  "\x81\xa4beat\x80\n",
		"64 KiB":                strings.Repeat("x", MaxNoise),
		"64 KiB of half a mark": strings.Repeat("\x81\xa5he", MaxNoise/4),
	} {
		stream := noise + string(hello) + "\x81\xa4beat\x80"
		for _, src := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream)),
			&oddReader{strings.NewReader(stream), rand.New(rand.NewPCG(5, 6)), 9000}} {
			r := NewReader(src, 0)
			h, got, err := r.Hello()
			if err != nil || h.Build != "b" || h.PID != 3 || string(got) != noise {
				t.Errorf("after %s: %v, %v, noise of %d bytes for %d", name, h, err, len(got), len(noise))
				continue
			}
			if m, err := r.Next(); err != nil || m.Kind != KindBeat {
				t.Errorf("the message after %s and hello: %v, %v", name, m.Kind, err)
			}
		}
	}
}

func TestMissingHello(t *testing.T) {
	hello := string(AppendHello(nil, Hello{Build: "b"}))
	tooMuch := strings.Repeat("x", MaxNoise+1)
	for _, c := range []struct {
		name, stream, noise, text string
	}{
		{"nothing", "", "", "EOF"},
		{"only noise", "command not found\n", "command not found\n", "EOF"},
		{"half a mark", "\x81\xa5hel", "\x81\xa5hel", "EOF"},
		{"too much noise", tooMuch + hello, tooMuch[:MaxNoise], "no hello in the first 65536 bytes"},
		{"endless noise", strings.Repeat("x", 3*MaxNoise), tooMuch[:MaxNoise], "no hello in the first 65536 bytes"},
		{"a cut hello", "noise" + hello[:20], "noise", "cut in the middle"},
		{"another protocol", "noise" + strings.Replace(hello, "protocol\x01", "protocol\x02", 1), "noise", "child speaks protocol 2"},
		{"a hello without a build", "\x81\xa5hello\x80", "", "hello without"},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
			_, noise, err := NewReader(src, 0).Hello()
			if err == nil || !strings.Contains(err.Error(), c.text) || string(noise) != c.noise {
				t.Errorf("%s: %v with noise of %d bytes, want %q with %d", c.name, err, len(noise), c.text, len(c.noise))
			}
		}
	}
}
