package child

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"procpool/ipc"
	"procpool/task"
)

// how-to does what its input says.
var _ = task.Define("how-to", func(ctx context.Context, how string) (string, error) {
	switch how {
	case "fail":
		return "", errors.New("no")
	case "panic":
		panic("oh")
	case "wait":
		began <- true
		<-ctx.Done()
		return "", ctx.Err()
	case "long":
		return strings.Repeat("x", batchedValue+1), nil
	}
	return fmt.Sprint(how, " ", task.Index(ctx)), nil
})

// batch is a batch of requests for how-to; their index is ten times their id.
func batch(id uint64, hows ...string) []byte {
	b := ipc.AppendBatchHead(nil, id, "how-to", len(hows), ipc.RequestOptions{Index: 10 * id})
	for _, how := range hows {
		b, _ = ipc.AppendValue(b, &how)
	}
	return b
}

// answered reads answers until there are n, and describes them.
func (k *talk) answered(n int) (answers []string, messages int) {
	k.t.Helper()
	for ; len(answers) < n; messages++ {
		m, err := k.r.Next()
		if err != nil {
			k.t.Fatal(err)
		}
		switch m.Kind {
		case ipc.KindResult:
			r, err := ipc.ParseResult(m.Body)
			if err != nil {
				k.t.Fatal(err)
			}
			if r.Answers == nil {
				answers = append(answers, fmt.Sprintf("%d a value of %d bytes", r.ID, len(r.Value)))
			}
			for id := r.ID; len(r.Answers) > 0; id++ {
				var value []byte
				if _, value, r.Answers, err = ipc.NextAnswer(r.Answers); err != nil {
					k.t.Fatal(err)
				}
				var text string
				if err := ipc.DecodeValue(value, &text); err != nil {
					k.t.Fatal(err)
				}
				answers = append(answers, fmt.Sprintf("%d %s", id, text))
			}
		case ipc.KindFail:
			f, err := ipc.ParseFail(m.Body)
			if err != nil {
				k.t.Fatal(err)
			}
			answers = append(answers, fmt.Sprintf("%d fails: %s", f.ID, f.Error))
		}
	}
	return answers, messages
}

// Each request of a batch has its own answer, in order, whatever becomes of the others.
func TestBatch(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20), batch(1, "a", "fail", "b", "panic", "c"), batch(6, "d", "long", "e"))
	got, _ := k.answered(8)
	want := []string{"1 a 10", "2 fails: no", "3 b 12", "4 fails: panic: oh", "5 c 14", "6 d 60", "7 a value of 4100 bytes", "8 e 62"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	long := make([]string, 500)
	k.send(batch(9, long...))
	if got, messages := k.answered(len(long)); messages > len(long)/4 || got[499] != fmt.Sprintf("508  %d", 90+499) {
		t.Errorf("%d messages for %d answers, the last is %q", messages, len(got), got[499])
	}
}

// Requests of a batch are taken out of it one by one, wherever they stand.
func TestCancelWithinABatch(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20), batch(1, "wait", "a", "b", "c", "d", "e", "f"))
	<-began
	k.send(recall(1), recall(7), cancel(4), recall(2), recall(2), cancel(1))
	got, _ := k.answered(7)
	const back = " fails: cancelled before it was begun"
	want := []string{"7" + back, "4" + back, "2" + back, "1 fails: context canceled", "3 b 12", "5 d 14", "6 e 15"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Batches count as the requests that they are.
func TestBatchesAreBounded(t *testing.T) {
	for n, want := range map[int]bool{1022: true, 1023: true, 1024: false} {
		q := &requestQueue{}
		q.changed.L = &q.mu
		q.push(request{id: 1}, false)
		if got := q.push(request{id: 2, batch: n}, false); got != want {
			t.Errorf("a batch of %d behind one: %v", n, got)
		}
	}
}

// What cannot be a batch is refused, request by request.
func TestBatchesThatCannotBe(t *testing.T) {
	k := serve(t)
	head := func(id uint64, name string) []byte {
		return append(ipc.AppendBatchHead(nil, id, name, 2, ipc.RequestOptions{}), 1, 2)
	}
	k.send(open(0, 1<<20), head(1, "no-such-task"), head(3, "null"))
	got, _ := k.answered(4)
	for i, want := range []string{"1 fails: this program has no task", "2 fails: this program has no task", "3 fails: task \"null\" works on intervals", "4 fails"} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got[i], want)
		}
	}
	k.send(ipc.AppendBatchHead(nil, 5, "how-to", 0, ipc.RequestOptions{}))
	if err := k.end(); err == nil || !strings.Contains(err.Error(), "an empty batch") {
		t.Error(err)
	}
}
