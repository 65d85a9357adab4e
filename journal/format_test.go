package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"procpool/ipc"
)

// golden must not change: other programs read this format, and a later build must be
// able to continue a journal of this one.
const golden = `{"procpool_journal":1,"task":"harmonic","task_version":"1","interval":{"start":3,"end":53},"grain":1,"exact":false,"chunk_size":25,"chunks":2,"procs":4,"share":"1/2","build":"test","created":"2026-01-02T03:04:05.6Z","key":"70dd792c1f9842ce480a832bf0a9163d","sum":"236a4196febdd942"}
{"interval":{"start":3,"end":28},"partial":"QADALfummr8=","value":3.25,"worker":1,"pid":4711,"host":"n1","started":"2026-01-02T03:04:05Z","seconds":0.25,"attempts":1,"sum":"f09f5dd62d9224b2"}
`

func goldenHeader() Header {
	h := header(50, 25)
	h.Share = Share{1, 2}
	h.Procs = 4
	return h
}

func TestGoldenFormat(t *testing.T) {
	if got := string(fileOf(t, goldenHeader(), ipc.Interval{Start: 3, End: 28})); got != golden {
		t.Errorf("the journal is\n%swant\n%s", got, golden)
	}
}

// The key and the checksums are computed here by the package documentation, without
// code of the package.
func TestDocumentedFormat(t *testing.T) {
	hash := fnv.New128a()
	io.WriteString(hash, "procpool journal 1\n\"harmonic\"\n\"1\"\n3 53\n1\n25 2\nfalse\n")
	key := fmt.Sprintf("%x", hash.Sum(nil))
	if !strings.Contains(golden, `,"key":"`+key+`"`) {
		t.Errorf("the key should be %s", key)
	}
	ecma := crc64.MakeTable(crc64.ECMA)
	if check := crc64.Checksum([]byte("123456789"), ecma); check != 0x995dc9bbdf1939fa {
		t.Errorf("the CRC is not that of xz: its check value is %x", check)
	}
	seed := ""
	for line := range strings.Lines(golden) {
		body, sum, _ := strings.Cut(line, `,"sum":"`)
		want := fmt.Sprintf("%016x\"}\n", crc64.Checksum([]byte(seed+body), ecma))
		if sum != want {
			t.Errorf("the sum of %s is %s, want %s", body, sum, want)
		}
		seed = key
	}
}

// readAll reads a journal and returns its intervals, and as an error the first damage.
func readAll(b []byte) (*reader, []ipc.Interval, error) {
	r, err := newReader(context.Background(), "j", bytes.NewReader(b))
	if err != nil {
		return nil, nil, err
	}
	var got []ipc.Interval
	for {
		rec, err := r.next()
		if err == io.EOF && len(r.damage) > 0 {
			return r, got, r.damage[0]
		}
		if err == io.EOF {
			return r, got, nil
		}
		if err != nil {
			return r, got, err
		}
		if !bytes.Equal(rec.Partial, compute(r.header, rec.Interval)) {
			return r, got, fmt.Errorf("WRONG PARTIAL for %v", rec.Interval)
		}
		got = append(got, rec.Interval)
	}
}

// A changed byte is noticed, except for the last newline: without it, the last line
// looks like an incomplete one. It costs its line, and with a newline the next.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	h := header(100, 25)
	h.Share = Share{1, 1}
	good := fileOf(t, h, parts(h)...)
	for at := range good {
		for _, to := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255, '\n' ^ good[at], '"' ^ good[at], good[at]} {
			if to == 0 { // no change
				continue
			}
			bad := bytes.Clone(good)
			bad[at] ^= to
			_, got, err := readAll(bad)
			if at == len(good)-1 && err == nil && slices.Equal(got, parts(h)[:3]) {
				continue
			}
			var d *DamageError
			var f *FormatError
			if !errors.As(err, &d) && !errors.As(err, &f) {
				t.Fatalf("byte %d %q changed to %q: %v, %v", at, good[at], bad[at], got, err)
			}
			line := 1 + bytes.Count(good[:at], []byte("\n"))
			if d != nil && d.Line != line && (bad[at] != '\n' || d.Line != line+1) {
				t.Fatalf("byte %d of line %d changed: %v", at, line, err)
			}
			lost := 1
			if good[at] == '\n' {
				lost = 2
			}
			if d != nil && line > 1 && len(got) != 4-lost {
				t.Fatalf("byte %d of line %d changed: only %v are left", at, line, got)
			}
		}
	}
}

// Resume continues a journal that was cut off anywhere.
func TestEveryTruncationIsAPrefix(t *testing.T) {
	h := header(100, 25)
	all := parts(h)
	good := fileOf(t, h, all...)
	path := write(t, "j", nil)
	for size := range len(good) + 1 {
		if err := os.WriteFile(path, good[:size], 0o666); err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(good[:size], []byte("\n"))
		if size > 0 && lines == 0 { // no writer leaves this behind
			var f *FormatError
			if _, err := Resume(t.Context(), path, h, nil); !errors.As(err, &f) {
				t.Fatalf("Resume of %d bytes of a header: %v", size, err)
			}
			if b := read(t, path); !bytes.Equal(b, good[:size]) {
				t.Fatalf("Resume left %q of %d bytes of a header", b, size)
			}
			continue
		}
		want := all[:max(lines, 1)-1]
		w, got := mustResume(t, path, h)
		if !slices.Equal(got, want) {
			t.Fatalf("Resume reads %[2]v from %[1]d bytes, want %[3]v", size, got, want)
		}
		if size%10 != 0 && size != len(good)-1 {
			w.file.Close() // like a kill, without the fsync of Close
			continue
		}
		mustAppend(t, w, h, all[len(got):]...)
		mustClose(t, w)
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, good) {
			t.Fatalf("after resuming from %d bytes the journal is %v\n%s", size, err, b)
		}
	}
}

func TestDamage(t *testing.T) {
	h := header(100, 25)
	p := parts(h)
	other := h
	other.TaskVersion = "2"
	half := h
	half.Share = Share{1, 2}
	lines := bytes.SplitAfter(fileOf(t, h, p...), []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	moved := bytes.SplitAfter(fileOf(t, other, p...), []byte("\n"))[2]
	resealed := func(h Header, body string) []byte { return seal([]byte(body), 0, h.Key()) }
	future := bytes.Replace(lines[0], []byte(`l":1,`), []byte(`l":2,`), 1)

	for _, c := range []struct {
		name string
		file []byte
		want string // error or intervals
	}{
		{"another order", join(lines[0], lines[3], lines[1]), "[[53, 78) [3, 28)]"},
		{"a line taken out", join(lines[0], lines[1], lines[3]), "[[3, 28) [53, 78)]"},
		{"a torn line of zeros", join(lines[0], lines[1], make([]byte, 5000)), "[[3, 28)]"},
		{"a line twice", join(lines[0], lines[1], lines[1]), "journal j:3 is damaged: [3, 28) is covered already"},
		{"an empty line", join(lines[0], lines[1], []byte("\n"), lines[2]), "[[3, 28) [28, 53)]"},
		{"a complete line of zeros", join(lines[0], make([]byte, 99), []byte("\n")), "journal j:2 is damaged: it does not end with a checksum"},
		{"a line of another journal", join(lines[0], lines[1], moved), "journal j:3 is damaged: its checksum does not fit: the line was changed, or comes from another journal"},
		{"a line of another share", join(fileOf(t, half), lines[3]), "journal j:2 is damaged: [53, 78) does not lie in share 1/2 of [3, 103)"},
		{"two headers", join(lines[0], lines[0]), "journal j:2 is damaged: its checksum does not fit: the line was changed, or comes from another journal"},
		{"no header", join(lines[1]), `j is not a journal: it does not begin with {"procpool_journal":`},
		{"text", []byte("dear diary\n"), `j is not a journal: it does not begin with {"procpool_journal":`},
		{"text without an end", []byte("{\"procpool\":1}"), `j is not a journal: it does not begin with {"procpool_journal":`},
		{"a newline", []byte("\n"), `j is not a journal: it does not begin with {"procpool_journal":`},
		{"nothing", nil, "j is not a journal: it ends within its header"},
		{"another format", future, `j is not a journal: it has format "2", and this build reads format 1`},
		{"DOS newlines", bytes.ReplaceAll(join(lines[0], lines[1]), []byte("\n"), []byte("\r\n")), "journal j:1 is damaged: it does not end with a checksum"},
		{"off the grid", fileOf(t, h, ipc.Interval{Start: 4, End: 29}), "journal j:2 is damaged: [4, 29) does not lie on the grid of 4 chunks of 25"},
		{"two chunks", fileOf(t, h, ipc.Interval{Start: 3, End: 53}), "journal j:2 is damaged: [3, 53) spans 2 chunks, but the task is not exact"},
		{"outside", fileOf(t, h, ipc.Interval{Start: 103, End: 128}), "journal j:2 is damaged: [103, 128) does not lie on the grid of 4 chunks of 25"},
		{"empty", fileOf(t, h, ipc.Interval{Start: 28, End: 28}), "journal j:2 is damaged: [28, 28) is empty"},
		{"no partial", join(lines[0], resealed(h, `{"interval":{"start":3,"end":28}`)), "journal j:2 is damaged: it has no partial"},
		{"a partial that is not base64", join(lines[0], resealed(h, `{"interval":{"start":3,"end":28},"partial":"?"`)), "journal j:2 is damaged: illegal base64 data at input byte 0"},
		{"another key", seal(bytes.Replace(lines[0][:len(lines[0])-1-sealLen], []byte(h.Key()), []byte("0123"), 1), 0, ""),
			fmt.Sprintf("journal j:1 is damaged: its key is \"0123\", but its fields give %q", h.Key())},
	} {
		_, got, err := readAll(c.file)
		if text := fmt.Sprint(got); err != nil && err.Error() != c.want || err == nil && text != c.want {
			t.Errorf("%s: %v, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

// A damaged line costs its chunk, which a resumed run computes again, and a merge names.
func TestDamageCostsItsChunk(t *testing.T) {
	h := header(100, 25)
	bad := fileOf(t, h, parts(h)...)
	third := len(fileOf(t, h, parts(h)[:2]...))
	bad[third+20]++
	path := write(t, "j", bad)
	s, err := Open(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	var m *MergeError
	if err := s.Complete(); !errors.As(err, &m) || m.Problems[0].Kind != Damaged || !strings.Contains(err.Error(), "j:4 is damaged: ") || m.Hint() == "" {
		t.Errorf("Complete returns %v", err)
	}
	w, left := mustResume(t, path, h)
	if len(left) != 3 || len(w.Damage()) != 1 || w.Damage()[0].Line != 4 || w.Damage()[0].Offset != int64(third) {
		t.Errorf("%v are left, and %v is damaged", left, w.Damage())
	}
	if err := w.Append(chunk(h, parts(h)[2])); err != nil {
		t.Fatal(err)
	}
	mustClose(t, w)
	if s, err = Open(t.Context(), []string{path}); err != nil || s.Complete() != nil || len(s.Damage()) != 1 {
		t.Fatalf("after that: %v", err)
	}
	var got []ipc.Interval
	if err := s.Fold(t.Context(), func(iv ipc.Interval, partial []byte) error {
		got = append(got, iv)
		return nil
	}); err != nil || !slices.Equal(got, parts(h)) {
		t.Errorf("Fold: %v, %v", got, err)
	}
}

func TestInvalidHeaders(t *testing.T) {
	good := header(100, 25)
	for name, change := range map[string]func(*Header){
		"no task":         func(h *Header) { h.Task = "" },
		"an interval":     func(h *Header) { h.Interval.Start = -1 },
		"too many chunks": func(h *Header) { h.Chunks = 5 },
		"no chunks":       func(h *Header) { h.Chunks = 0 },
		"an endless grid": func(h *Header) { h.ChunkSize, h.Chunks = ipc.MaxIndex, 1<<62 },
		"off the grain":   func(h *Header) { h.Grain = 10 },
		"a share":         func(h *Header) { h.Share = Share{3, 2} },
		"a negative size": func(h *Header) { h.ChunkSize = -25 },
		"a long name":     func(h *Header) { h.Task = strings.Repeat("x", maxHeader) },
	} {
		h := good
		change(&h)
		path := write(t, "dir", nil) + ".new"
		if w, err := Create(path, h); err == nil {
			w.Close()
			t.Errorf("%s: %+v is accepted", name, h)
		} else if _, serr := os.Stat(path); serr == nil {
			t.Errorf("%s: a file is left behind after %v", name, err)
		}
	}
}

// FuzzReader checks that a reader does not panic, that the chunks which it accepts are
// disjoint and on the grid, and that they do not depend on the bytes after the last
// valid line. As mutations rarely keep a checksum valid, it renews the checksums first.
func FuzzReader(f *testing.F) {
	h := header(100, 25)
	f.Add(fileOf(f, h, parts(h)...), true)
	f.Add([]byte(golden), false)
	exact := h
	exact.Exact = true
	f.Add(fileOf(f, exact, ipc.Interval{Start: 3, End: 53}, ipc.Interval{Start: 78, End: 103}), true)
	empty := Header{Task: "t", Chunks: 3}
	f.Add(fileOf(f, empty), true)
	f.Fuzz(func(t *testing.T, data []byte, reseal bool) {
		if reseal {
			data = sealAgain(data)
		}
		r, err := newReader(context.Background(), "j", bytes.NewReader(data))
		if err != nil {
			return
		}
		var ledger ipc.Ledger
		lines := 0
		for err == nil {
			var rec record
			if rec, err = r.next(); err != nil {
				break
			}
			lines++
			if aerr := ledger.Add(rec.Interval); aerr != nil || len(rec.Partial) == 0 {
				t.Fatalf("accepted %v %x: %v", rec.Interval, rec.Partial, aerr)
			}
			if n := chunks(&r.header, ledgerOf(rec.Interval)); n < 1 || n > 1 && !r.header.Exact {
				t.Fatalf("accepted %v of %d chunks", rec.Interval, n)
			}
		}
		c := coverage(&r.header, r.covers, &r.ledger)
		if c.Covered != ledger.Total() || c.Done > c.Chunks || c.Complete() != (c.Percent() == 100) {
			t.Fatalf("%+v, but %d indices are covered", c, ledger.Total())
		}
		if err == io.EOF {
			if again, got, err := countLines(data[:r.offset]); err != nil || got != lines || again != r.offset {
				t.Fatalf("cut after the last line: %d lines of %d, %d bytes of %d, %v", got, lines, again, r.offset, err)
			}
		}
	})
}

func countLines(data []byte) (offset int64, lines int, err error) {
	r, err := newReader(context.Background(), "j", bytes.NewReader(data))
	for err == nil {
		if _, err = r.next(); err == nil {
			lines++
		}
	}
	if err == io.EOF {
		return r.offset, lines, nil
	}
	return 0, lines, err
}

// sealAgain gives every line a valid checksum, and the header a valid key.
func sealAgain(data []byte) []byte {
	var out []byte
	var key string
	for line := range bytes.Lines(data) {
		body, _, sealed := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(sealOpen))
		if !sealed || bytes.IndexByte(line, '\n') < 0 {
			out = append(out, line...)
			continue
		}
		out = append(out, body...)
		out = seal(out, len(out)-len(body), key)
		if key == "" {
			if _, rest, ok := bytes.Cut(body, []byte(`,"key":"`)); ok {
				key, _, _ = strings.Cut(string(rest), `"`)
			}
		}
	}
	return out
}
