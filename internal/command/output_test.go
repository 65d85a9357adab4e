package command

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func read(t *testing.T, text string, keeps bool, piece int) *output {
	t.Helper()
	o := &output{keeps: keeps}
	if err := o.readFrom(strings.NewReader(text), make([]byte, piece)); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTheLastLineThatIsNotEmptyCounts(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "1\n": "1", "1\r\n": "1", " 1 \t\n": "1", "a\n2\n\n \r\n": "2", "\n\n3\n\n": "3", "1\n2": "2",
		strings.Repeat("x", 3*maxDigits) + "\n4\n": "4",
		strings.Repeat("9", 50_000):                strings.Repeat("9", 50_000),
	} {
		for _, piece := range []int{1, 7, 1 << 16} {
			if piece == 1 && len(text) > 1<<20 {
				continue
			}
			p, err := read(t, text, false, piece).partial(Sum)
			if err != nil || p.Number != want {
				t.Errorf("%.40q by %d: %.40s, %v", text, piece, p.Number, err)
			}
		}
	}
}

func TestWhatIsNoNumberIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "it printed nothing, but a number is wanted",
		"\n \n":                         "it printed nothing, but a number is wanted",
		"foo\n":                         `the last line that it printed is not a number: "foo"`,
		"a\x1bb\nbar\n":                 `the last line that it printed is not a number: "bar"; its output begins with "a\x1bb\nbar\n"`,
		"1\n2 3\n":                      `the last line that it printed is not a number: "2 3"; its output begins with "1\n2 3\n"`,
		"1e200000":                      `it printed a number with a power of ten beyond 100000: "1e200000"`,
		"nan":                           `the last line that it printed is not a number: "nan"`,
		strings.Repeat("y", 3*firstLen): `the last line that it printed is not a number: "` + strings.Repeat("y", firstLen) + `"...`,
	} {
		if _, err := read(t, text, false, 100).partial(Max); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := read(t, strings.Repeat("9", maxDigits+1), false, 1<<16).partial(Sum); err == nil {
		t.Error("a number of more than a MiB is read")
	}
	if _, err := read(t, "1", false, 10).partial("product"); err == nil {
		t.Error("an unknown reduction is taken")
	}
}

func TestOutputsAreKeptByteForByte(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	text := make([]byte, 100_000)
	for i := range text {
		text[i] = byte(r.IntN(256))
	}
	for _, piece := range []int{1, 4096, 1 << 20} {
		p, err := read(t, string(text), true, piece).partial(Concat)
		if err != nil || !bytes.Equal(p.Output, text) {
			t.Errorf("by %d: %d bytes, %v", piece, len(p.Output), err)
		}
	}
	o := output{keeps: true}
	if err := o.readFrom(io.LimitReader(&zeros{n: 1 << 40}, maxOutput+1), make([]byte, 1<<20)); !errors.Is(err, errTooMuch) {
		t.Error(err)
	}
	o = output{}
	if err := o.readFrom(&zeros{n: 16 << 20}, make([]byte, 1<<20)); err != nil || len(o.last) > maxDigits+1 || len(o.all) > 0 {
		t.Error(err, len(o.last), len(o.all))
	}
}

func TestTail(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"\n\n":                           "",
		"a":                              "; its last words: a",
		"a\nb\n\nc\nd":                   "; its last words: b; c; d",
		strings.Repeat("x", 1000) + "\n": "; its last words: " + strings.Repeat("x", tailLine),
	} {
		for _, one := range []bool{false, true} {
			var passed bytes.Buffer
			var r io.Reader = strings.NewReader(text)
			if one {
				r = iotest.OneByteReader(r)
			}
			all := tail{to: &passed}
			all.pass(r, make([]byte, 100))
			if got := all.String(); got != want {
				t.Errorf("%.20q: %s", text, got)
			}
			if ended := text == "" || strings.HasSuffix(text, "\n"); passed.String() != text && (ended || passed.String() != text+"\n") {
				t.Errorf("%.20q is passed on as %.20q", text, passed.String())
			}
		}
	}
}
