package child

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
)

// hangLimit ends a test that hangs.
const hangLimit = 60 * time.Second

// A talk is the parent's end of a conversation with a worker.
type talk struct {
	t     *testing.T
	in    *os.File // to the worker
	out   *os.File // from it
	r     *ipc.Reader
	ended chan error
}

// serve starts Serve on a pair of pipes and reads its hello.
func serve(t *testing.T) *talk {
	t.Helper()
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{t: t, in: in, out: out, r: ipc.NewReader(out, ipc.MaxLimit), ended: make(chan error, 1)}
	out.SetReadDeadline(time.Now().Add(hangLimit))
	done := make(chan bool)
	go func() {
		defer close(done)
		err := Serve(role.WithIndex(t.Context(), 3), theirIn, theirOut)
		theirOut.Close()
		k.ended <- err
	}()
	t.Cleanup(func() {
		in.Close()
		out.Close()
		<-done
		theirIn.Close()
		signal.Reset() // the worker may have installed its handler
	})
	k.hello()
	return k
}

// wants reads a message for each prefix, which the message must begin with.
func (k *talk) wants(prefixes ...string) {
	k.t.Helper()
	for _, want := range prefixes {
		if s := k.next(false); !strings.HasPrefix(s, want) {
			k.t.Fatalf("%s, want %s", s, want)
		}
	}
}

func (k *talk) hello() ipc.Hello {
	k.t.Helper()
	h, noise, err := k.r.Hello()
	if err != nil || len(noise) > 0 {
		k.t.Fatalf("no hello: %v, noise %q", err, noise)
	}
	return h
}

func (k *talk) send(parts ...[]byte) {
	k.t.Helper()
	if _, err := k.in.Write(bytes.Join(parts, nil)); err != nil {
		k.t.Fatal(err)
	}
}

// next describes the worker's next message. It skips beats unless beats is set.
func (k *talk) next(beats bool) string {
	k.t.Helper()
	for {
		m, err := k.r.Next()
		if err != nil {
			return err.Error()
		}
		switch m.Kind {
		case ipc.KindBeat:
			if !beats {
				continue
			}
		case ipc.KindResult:
			r, err := ipc.ParseResult(m.Body)
			if err != nil || r.Seconds < 0 {
				k.t.Errorf("a result of %v seconds, %v", r.Seconds, err)
			}
			if r.HasInterval {
				return fmt.Sprintf("result %d %v %x", r.ID, r.Interval, r.Value)
			}
			return fmt.Sprintf("result %d %x", r.ID, r.Value)
		case ipc.KindFail:
			f, err := ipc.ParseFail(m.Body)
			if err != nil {
				k.t.Error(err)
			}
			text := fmt.Sprintf("fail %d %s", f.ID, f.Error)
			if f.Stack != "" {
				text += " with a stack"
			}
			return text
		case ipc.KindBye:
			if _, err := ipc.ParseBye(m.Body); err != nil {
				k.t.Error(err)
			}
		}
		return m.Kind.String()
	}
}

// end waits for the worker to end and returns its error.
func (k *talk) end() error {
	k.t.Helper()
	select {
	case err := <-k.ended:
		return err
	case <-time.After(hangLimit):
		k.t.Fatal("the worker does not end")
		return nil
	}
}

func sum(id uint64, name string, start, end int64) []byte {
	return ipc.AppendInterval(ipc.AppendRequestHead(nil, id, name), ipc.Interval{Start: start, End: end})
}

func call[T any](id uint64, name string, arg T) []byte {
	b, err := ipc.AppendValue(ipc.AppendRequestHead(nil, id, name), &arg)
	if err != nil {
		panic(err)
	}
	return b
}

func open(heartbeat float64, limit int64) []byte {
	return ipc.AppendOpen(nil, ipc.Open{HeartbeatSeconds: heartbeat, MaxMessageBytes: limit})
}

var endMessage = ipc.AppendEnd(nil)
