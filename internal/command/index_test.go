package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readLines(x *Index, start, end int64) ([]byte, error) {
	r, err := x.Part(start).open(end - start)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Whatever the lines, those of all chunks together are the file, byte for byte.
func TestLinesOfChunksAreTheFile(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func(n, longest int) (b []byte) {
		for range n {
			for range r.IntN(longest) {
				b = append(b, byte(r.IntN(256)))
			}
			b = append(b, '\n')
		}
		return b
	}
	for name, content := range map[string][]byte{
		"empty":            nil,
		"one empty line":   []byte("\n"),
		"no end":           []byte("a\nb"),
		"one, no end":      []byte("a"),
		"empty lines":      []byte("\n\n\na\n\n"),
		"CRLF and NUL":     []byte("a\r\n\x00\r\n\xff\xfe\n"),
		"short":            random(3000, 5),
		"long":             random(50, 20000),
		"longer than read": append(bytes.Repeat([]byte("x"), 3*readSize), '\n', 'y'),
		"of all lengths":   append(random(200, 3000), random(10000, 3)...),
	} {
		path := write(t, content)
		x, err := NewIndex(context.Background(), path)
		if err != nil {
			t.Fatal(name, err)
		}
		lines := bytes.SplitAfter(content, []byte("\n"))
		if len(lines[len(lines)-1]) == 0 {
			lines = lines[:len(lines)-1]
		}
		if x.Lines != int64(len(lines)) || x.Size != int64(len(content)) || x.SHA256 != fmt.Sprintf("%x", sha256.Sum256(content)) {
			t.Errorf("%s: %d lines, %d bytes, SHA-256 %s", name, x.Lines, x.Size, x.SHA256)
			continue
		}
		for at := 0; at < len(lines); {
			n := min(1+r.IntN(len(lines)/7+1), len(lines)-at)
			got, err := readLines(x, int64(at), int64(at+n))
			if want := bytes.Join(lines[at:at+n], nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: lines %d to %d are %.50q, %v, not %.50q", name, at, at+n, got, err, want)
			}
			at += n
		}
	}
}

// zeros are so many bytes, of which each tenth is the end of a line.
type zeros struct{ n, at int64 }

func (z *zeros) Read(b []byte) (int, error) {
	b = b[:min(int64(len(b)), z.n-z.at)]
	for i := range b {
		b[i] = 'x'
		if (z.at+int64(i))%10 == 9 {
			b[i] = '\n'
		}
	}
	z.at += int64(len(b))
	if len(b) == 0 {
		return 0, io.EOF
	}
	return len(b), nil
}

// The index of a large file is no larger than that of a small one.
func TestIndexDoesNotGrowWithTheFile(t *testing.T) {
	const size = 64 << 20
	x := &Index{}
	if err := x.read(context.Background(), &zeros{n: size}, max(size/mostMarks, leastGap)); err != nil {
		t.Fatal(err)
	}
	if x.Lines != size/10+1 || len(x.marks) > mostMarks {
		t.Errorf("%d lines, %d marks", x.Lines, len(x.marks))
	}
	if p := x.Part(x.Lines / 2); p.Skip > leastGap {
		t.Errorf("%d lines are to be skipped", p.Skip)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.read(ctx, &zeros{n: size}, 1<<20); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestChangedFileIsRefused(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"grown":   func(path string) error { return os.WriteFile(path, []byte("a\nb\nc\n"), 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 2) },
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
		"other text": func(path string) error {
			time.Sleep(20 * time.Millisecond)
			return os.WriteFile(path, []byte("a\nc\n"), 0o600)
		},
	} {
		path := write(t, []byte("a\nb\n"))
		x, err := NewIndex(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Unchanged(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, err := readLines(x, 0, 1); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if err := x.Unchanged(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	x, _ := NewIndex(context.Background(), write(t, []byte("a\n")))
	os.Remove(x.Path)
	if _, err := readLines(x, 0, 1); err == nil || !strings.Contains(err.Error(), "the file of --lines, ") {
		t.Error(err)
	}
}
