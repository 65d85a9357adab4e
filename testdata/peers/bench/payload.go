package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"procpool/pool"
)

const payloadBytes = 64 << 20

// mirrorArg makes this program the child of a bare pipe pair.
const mirrorArg = "mirror"

var echo = pool.Define("echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })

// payload sends 64 MiB to a worker and back, through the library and through
// two bare pipes. This program is both parents and both children.
func payload(b *bench) ([]row, error) {
	data := bytes.Repeat([]byte("procpool"), payloadBytes/8)
	p, err := pool.New(context.Background(), pool.Options{Procs: 1, MaxMessage: 2 * payloadBytes})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	ours := &contender{name: "procpool", run: func() (float64, error) { return throughPool(p, data) }}
	pipes, err := newPipes()
	if err != nil {
		return nil, err
	}
	defer pipes.close()
	bare := &contender{name: "a bare pipe pair", run: func() (float64, error) { return pipes.there(data) }}
	return []row{{what: "64 MiB to a worker and back, by pool.Map", ours: ours, peer: bare, unit: "MiB/s", goal: goal{least: 0.5}}},
		b.measure(b.rounds(21, 5), ours, bare)
}

// rate is the data's way there and back in MiB a second.
func rate(begin time.Time) float64 { return 2 * payloadBytes / (1 << 20) / time.Since(begin).Seconds() }

func throughPool(p *pool.Pool, data []byte) (float64, error) {
	begin := time.Now()
	for back, err := range pool.Map(context.Background(), p, echo, slices.Values([][]byte{data})) {
		if err != nil {
			return 0, err
		}
		if len(back) != len(data) {
			return 0, fmt.Errorf("%d bytes came back", len(back))
		}
	}
	return rate(begin), nil
}

// pipes are a child that takes the data whole and gives it back.
type pipes struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.ReadCloser
	back []byte
}

func newPipes() (*pipes, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &pipes{cmd: exec.Command(self, mirrorArg), back: make([]byte, payloadBytes)}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

func (p *pipes) there(data []byte) (float64, error) {
	begin := time.Now()
	if _, err := p.in.Write(data); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(p.out, p.back)
	return rate(begin), err
}

func (p *pipes) close() {
	p.in.Close()
	p.cmd.Wait()
}

// mirror is the child.
func mirror() {
	data := make([]byte, payloadBytes)
	for {
		if _, err := io.ReadFull(os.Stdin, data); err != nil {
			return
		}
		os.Stdout.Write(data)
	}
}
