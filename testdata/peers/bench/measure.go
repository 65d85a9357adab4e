package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A contender is one side of a comparison.
type contender struct {
	name    string
	command []string // as a user would type it, where it is a command
	run     func() (float64, error)

	samples []float64 // what run said, one a round
}

// A row of the table compares ours with peer, or says ours alone.
type row struct {
	what       string
	ours, peer *contender // peer may be nil
	unit       string
	ratio      func(ours, peer float64) float64 // nil stands for ours/peer
	goal       goal                             // of the ratio, or of ours without a peer
	text       *text                            // instead of numbers
}

// A text is a row whose figures are not a median and its spread.
type text struct {
	ours, peer, ratio string
	value             float64 // that the goal is about
}

// A goal is met by at most, or at least, some value. The zero goal is none.
type goal struct{ most, least float64 }

func (g goal) String() string {
	switch {
	case g.most > 0:
		return fmt.Sprintf("≤ %.4g", g.most)
	case g.least > 0:
		return fmt.Sprintf("≥ %.4g", g.least)
	}
	return ""
}

func (g goal) verdict(v float64) string {
	switch {
	case g == goal{}:
		return ""
	case g.most > 0 && v <= g.most, g.least > 0 && v >= g.least:
		return "yes"
	}
	return "**no**"
}

// faster is the ratio of rows whose goal is to be so many times faster.
func faster(ours, peer float64) float64 { return peer / ours }

// rounds is how often everything is measured.
func (b *bench) rounds(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// measure runs every contender once a round, beginning with another one each time.
func (b *bench) measure(rounds int, contenders ...*contender) error {
	for round := range rounds {
		for k := range contenders {
			c := contenders[(k+round)%len(contenders)]
			v, err := c.run()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.samples = append(c.samples, v)
		}
	}
	b.note(contenders...)
	return nil
}

// note keeps contenders' commands for the end of the report.
func (b *bench) note(contenders ...*contender) {
	for _, c := range contenders {
		if line := strings.Join(c.command, " "); line != "" && !slices.Contains(b.commands, line) {
			b.commands = append(b.commands, line)
		}
	}
}

// timed is a contender whose figure is the wall-clock time of a command in
// milliseconds: the median of so many runs, for what takes few of them.
func timed(name string, runs int, command ...string) *contender {
	return &contender{name: name, command: command, run: func() (float64, error) {
		var ms []float64
		for range runs {
			begin := time.Now()
			if _, err := output(command...); err != nil {
				return 0, err
			}
			ms = append(ms, time.Since(begin).Seconds()*1e3)
		}
		return median(ms), nil
	}}
}

// output runs a command and returns what it printed.
func output(command ...string) ([]byte, error) {
	cmd := exec.Command(command[0], command[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%v: %w: %s", cmd.Args, err, stderr.String())
	}
	return stdout.Bytes(), nil
}

// printed runs a command and reads the number that it prints.
func printed(command ...string) (float64, error) {
	out, err := output(command...)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		return 0, fmt.Errorf("%v prints %q, not a number", command, out)
	}
	return v, nil
}

// A report is what is read of procpool's --json.
type report struct {
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  struct {
		Parent, Workers float64
	} `json:"cpu_seconds"`
}

// reported runs a procpool command with --json.
func reported(command ...string) (r report, err error) {
	out, err := output(append(command, "--json")...)
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	return r, err
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	m := len(s) / 2
	if len(s)%2 == 0 {
		return (s[m-1] + s[m]) / 2
	}
	return s[m]
}
