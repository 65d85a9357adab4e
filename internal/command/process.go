package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"procpool/internal/proctree"
	"procpool/ipc"
)

// termGrace is how long a command may take to end after SIGTERM. Then it is killed, with
// everything that it started. It is shorter than the pool's CancelGrace, after which the
// worker itself is killed.
const termGrace = 400 * time.Millisecond

// adopt makes this process the parent of processes that a command leaves behind, so that
// they can be found and killed.
var adopt = sync.OnceFunc(proctree.Adopt)

// execute runs the command for a chunk, in a session of its own, which has no terminal.
// It returns when the command and everything that it started has ended.
func (c *Call) execute(ctx context.Context, iv ipc.Interval, worker string) (*output, error) {
	adopt()
	words := c.For(iv, worker)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), c.Environment(iv, worker)...)
	cmd.SysProcAttr = ownSession()
	p := &process{cmd: cmd, out: output{keeps: c.Reduce == Concat}, err: tail{to: os.Stderr}, tooMuch: make(chan struct{})}
	if err := p.start(c, iv); err != nil {
		return nil, err
	}
	err := p.wait(ctx)
	p.streams.Wait()
	switch {
	case p.failed != nil: // it ends the command
		return nil, p.failed
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%s %s%v%w", words[0], ended(cmd.ProcessState), &p.err, silent{ErrExit})
	}
	return &p.out, nil
}

// silent wraps an error for errors.Is without adding to the text.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// A process is a command that runs.
type process struct {
	cmd     *exec.Cmd
	out     output
	err     tail
	streams sync.WaitGroup
	tooMuch chan struct{} // closed when the command must end because of failed
	failed  error
	once    sync.Once
}

// buffers are used again by the next command.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// start starts the command with its streams.
func (p *process) start(c *Call, iv ipc.Interval) (err error) {
	var ours, theirs []io.Closer // ends of pipes
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	p.cmd.Stdin, p.cmd.Stdout = os.Stdin, os.Stdout // in a worker, the null device and standard error
	var stdout, feed *os.File
	if c.Reduce != None {
		r, w := pipe()
		stdout, p.cmd.Stdout, ours, theirs = r, w, append(ours, r), append(theirs, w)
	}
	stderr, w := pipe()
	p.cmd.Stderr, ours, theirs = w, append(ours, stderr), append(theirs, w)
	var lines io.ReadCloser
	if c.Lines != nil {
		if err == nil {
			lines, err = c.Lines.open(iv.Len())
		}
		r, w := pipe()
		feed, p.cmd.Stdin, ours, theirs = w, r, append(ours, w), append(theirs, r)
	}
	if err == nil {
		if err = p.cmd.Start(); err != nil {
			err = cannotStart(p.cmd, err)
		}
	}
	for _, end := range theirs {
		end.Close()
	}
	if err != nil {
		for _, end := range ours {
			end.Close()
		}
		if lines != nil {
			lines.Close()
		}
		return err
	}
	p.stream(stderr, func(buf []byte) error { p.err.pass(stderr, buf); return nil })
	if stdout != nil {
		p.stream(stdout, func(buf []byte) error { return p.out.readFrom(stdout, buf) })
	}
	if lines != nil {
		p.stream(feed, func(buf []byte) error { return feedLines(feed, lines, buf) })
	}
	return nil
}

// stream runs carry in a goroutine, then closes end. An error of carry ends the command.
func (p *process) stream(end *os.File, carry func(buf []byte) error) {
	p.streams.Go(func() {
		buf := buffers.Get().(*[]byte)
		err := carry(*buf)
		buffers.Put(buf)
		end.Close()
		if err != nil {
			p.once.Do(func() { p.failed = err; close(p.tooMuch) })
		}
	})
}

// feedLines writes the lines to the command. A command that stops reading is no error.
func feedLines(feed *os.File, lines io.ReadCloser, buf []byte) error {
	defer lines.Close()
	for {
		n, err := lines.Read(buf)
		if _, gone := feed.Write(buf[:n]); gone != nil {
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// wait waits until the command exits. It ends the command when ctx is done or a stream has
// failed. Everything that the command started is killed with it, or its streams would
// stay open.
func (p *process) wait(ctx context.Context) error {
	exited := make(chan error, 1)
	go func() {
		err := p.cmd.Wait()
		proctree.KillStrays() // what the command leaves behind
		exited <- err
	}()
	select {
	case err := <-exited:
		return err
	case <-p.tooMuch:
	case <-ctx.Done():
		terminate(p.cmd.Process)
		select {
		case <-exited:
			return ctx.Err() // also if the command says that all is well
		case <-time.After(termGrace):
		}
	}
	proctree.Kill(p.cmd.Process)
	if err := <-exited; err != nil {
		return err
	}
	return ctx.Err()
}

// ended describes how a command ended: "exited with code 1".
func ended(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return "was ended by signal: " + status.Signal().String()
	}
	return fmt.Sprintf("exited with code %d", state.ExitCode())
}

// cannotStart returns the error for a command that did not start.
func cannotStart(cmd *exec.Cmd, err error) error {
	var path *fs.PathError
	var look *exec.Error
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &look):
		err = look.Err
	}
	name := cmd.Args[0]
	if !errors.Is(err, syscall.E2BIG) {
		return fmt.Errorf("cannot start %.200s: %w", name, err)
	}
	size := 0
	for _, list := range [][]string{cmd.Args, cmd.Env} {
		for _, s := range list {
			size += len(s) + 1
		}
	}
	return fmt.Errorf("cannot start %.200s: its words and environment take %d bytes, more than the system allows", name, size)
}
