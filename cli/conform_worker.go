package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"procpool/internal/proctree"
	"procpool/ipc"
)

// A tried worker is a process that a conformance test talks to.
type tried struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	limit time.Duration // for an answer
	over  chan struct{} // closed by kill

	greeted chan struct{} // closed when the next three are set
	hello   ipc.Hello
	noise   []byte // before it
	err     error

	messages chan message  // behind hello
	exited   chan struct{} // closed when the process is gone
}

// A message is one message of the worker, or the error that ended its stream.
type message struct {
	ipc.Message
	err error
}

func (t *conformance) start(ctx context.Context) (*tried, error) {
	w := &tried{
		cmd: exec.CommandContext(ctx, t.program[0], t.program[1:]...), limit: t.limit, over: make(chan struct{}),
		greeted: make(chan struct{}), messages: make(chan message), exited: make(chan struct{}),
	}
	w.cmd.Env, w.cmd.Stderr, w.cmd.WaitDelay = append(os.Environ(), "PROCPOOL_WORKER=0"), t.stderr, time.Second
	var err error
	if w.out, err = w.cmd.StdoutPipe(); err == nil {
		w.in, err = w.cmd.StdinPipe()
	}
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		return nil, badInput(fmt.Errorf("start the worker: %w", err))
	}
	go w.read()
	return w, nil
}

// read passes on the worker's messages, and waits for its exit.
func (w *tried) read() {
	in := ipc.NewReader(w.out, ipc.DefaultLimit)
	w.hello, w.noise, w.err = in.Hello()
	close(w.greeted)
	for err := w.err; err == nil; {
		var m ipc.Message
		m, err = in.Next()
		m.Body = bytes.Clone(m.Body) // which is valid until the next one
		select {
		case w.messages <- message{m, err}:
		case <-w.over:
			err = io.EOF
		}
	}
	w.cmd.Wait()
	close(w.exited)
}

func (w *tried) kill() {
	close(w.over)
	proctree.Kill(w.cmd.Process)
	w.in.Close()
	w.out.Close() // another process may hold its other end open
	<-w.exited
}

// say writes to the worker. It drops errors: a worker that does not read will not answer
// either, which the next step reports.
func (w *tried) say(b []byte) { w.in.Write(b) }

// receive awaits a message.
func (w *tried) receive(limit time.Duration) (ipc.Message, error) {
	select {
	case m := <-w.messages:
		return m.Message, m.err
	case <-time.After(limit):
		return ipc.Message{}, fmt.Errorf("it sent nothing within %v", limit)
	}
}

// next awaits a message of a kind, skipping beats.
func (w *tried) next(kind ipc.Kind) (ipc.Message, error) {
	end := time.Now().Add(w.limit)
	m, err := w.receive(w.limit)
	for err == nil && m.Kind == ipc.KindBeat {
		m, err = w.receive(time.Until(end))
	}
	switch {
	case err == io.EOF:
		return m, fmt.Errorf("its output ended before %v", kind)
	case err == nil && m.Kind == ipc.KindFail && kind == ipc.KindResult:
		f, err := ipc.ParseFail(m.Body)
		return m, cmp.Or(err, fmt.Errorf("it answered with fail: %s", f.Error))
	case err == nil && m.Kind != kind:
		return m, fmt.Errorf("it sent %v instead of %v", m.Kind, kind)
	}
	return m, err
}

// beat keeps the worker from taking its parent for lost.
func (w *tried) beat(heartbeat time.Duration) {
	go func() {
		for range time.Tick(heartbeat / 4) {
			select {
			case <-w.exited:
				return
			default:
				w.say(ipc.AppendBeat(nil))
			}
		}
	}()
}

// gone awaits the exit of the process, with code 0 if inOrder is set.
func (w *tried) gone(inOrder bool) error {
	late := time.After(leaving)
	for {
		select {
		case <-w.messages:
		case <-w.exited:
			if code := w.cmd.ProcessState.ExitCode(); inOrder && code != 0 {
				return fmt.Errorf("it ended with %v", w.cmd.ProcessState)
			}
			return nil
		case <-late:
			return fmt.Errorf("it did not exit within %v", leaving)
		}
	}
}
