package ipc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What is written as a batch is read as one.
func TestBatch(t *testing.T) {
	args := []byte("\x01\xa1x\x92\x01\x02\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18")
	o := RequestOptions{TimeoutSeconds: 2, Index: 1 << 40}
	r, err := ParseRequest(bodyOf(t, append(AppendBatchHead(nil, 1<<33, "t", 4, o), args...), KindRequest))
	if err != nil || r.ID != 1<<33 || r.Batch != 4 || !bytes.Equal(r.Arg, args) || r.RequestOptions != o {
		t.Errorf("%+v, %v", r, err)
	}
	rest := r.Arg
	for _, want := range []string{"\x01", "\xa1x", "\x92\x01\x02"} {
		var arg []byte
		if arg, rest = SplitValues(rest, 1); string(arg) != want {
			t.Errorf("%q, want %q", arg, want)
		}
	}
	if two, rest := SplitValues(args, 3); string(two) != "\x01\xa1x\x92\x01\x02" || len(rest) != 9 {
		t.Errorf("%q, %q", two, rest)
	}
}

func TestAnswers(t *testing.T) {
	var values []string
	for i := range 300 {
		values = append(values, string(appendInt(nil, int64(i*i))))
	}
	r, err := ParseResult(bodyOf(t, answers(5, values...), KindResult))
	if err != nil || r.ID != 5 || r.Value != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	rest := r.Answers
	for i, want := range values {
		var seconds float64
		var value []byte
		if seconds, value, rest, err = NextAnswer(rest); err != nil || string(value) != want || seconds != float64(i)/4 {
			t.Fatalf("answer %d: %v, %q, %v", i, seconds, value, err)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%q is left", rest)
	}
}

func TestBadBatches(t *testing.T) {
	for name, c := range map[string]struct {
		kind Kind
		body string
		want string
	}{
		"an empty batch":      {KindRequest, "\x83\xa2id\x01\xa4task\xa1t\xa4args\x90", "an empty batch"},
		"arg and args":        {KindRequest, "\x84\xa2id\x01\xa4task\xa1t\xa3arg\x01\xa4args\x91\x01", "a key occurs twice"},
		"args of no array":    {KindRequest, "\x83\xa2id\x01\xa4task\xa1t\xa4args\x01", "not an array"},
		"no answers":          {KindResult, "\x82\xa2id\x01\xa7answers\x90", "answers without a value"},
		"an odd answer":       {KindResult, "\x82\xa2id\x01\xa7answers\x93\x01\x02\x03", "answers without a value"},
		"answers and seconds": {KindResult, "\x83\xa2id\x01\xa7answers\x92\x01\x02\xa7seconds\x01", "a key occurs twice"},
		"answers and value":   {KindResult, "\x83\xa2id\x01\xa5value\x01\xa7answers\x92\x01\x02", "a key occurs twice"},
	} {
		_, err := parseAny(c.kind, []byte(c.body))
		var f *Fault
		if !errors.As(err, &f) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, b := range []string{"", "\xa1x\x01", "\x01", fmt.Sprintf("%s\x01", "\xcb\xbf\xf0\x00\x00\x00\x00\x00\x00")} {
		if _, _, _, err := NextAnswer([]byte(b)); err == nil {
			t.Errorf("%q is read as an answer", b)
		}
	}
}
