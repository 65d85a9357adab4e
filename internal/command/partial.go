package command

import (
	"fmt"
	"math"
	"strconv"

	"procpool/internal/text"
)

// How outputs are reduced.
const (
	Sum    = "sum"
	Min    = "min"
	Max    = "max"
	Concat = "concat"
	None   = "none"
)

// Reduces are all ways, the usual one first.
var Reduces = []string{Sum, Min, Max, Concat, None}

// A Partial is the result of one chunk's command, or of several chunks reduced. The zero
// Partial is the result of no chunks.
type Partial struct {
	Reduce string `msgpack:"reduce"`
	Number string `msgpack:"number"` // of sum, min and max, see number.text
	Output []byte `msgpack:"output"` // of concat
}

// add reduces two partials; their order does not matter. It drops the outputs of concat,
// which package cli prints chunk by chunk.
func add(a, b Partial) Partial {
	switch {
	case a.Reduce == "":
		return b
	case a.Reduce == Concat, a.Reduce == None:
		return Partial{Reduce: a.Reduce}
	}
	x, err := parseNumber(a.Number)
	y, err2 := parseNumber(b.Number)
	switch {
	case err != nil:
		return a // for Check
	case err2 != nil:
		return b
	case a.Reduce == Sum:
		return Partial{Reduce: Sum, Number: x.plus(y).text()}
	}
	// Of equal ones the whole one wins, so that the result does not depend on the order.
	order := y.compare(x)
	if order == 0 && x.decimal || order != 0 && (order < 0) == (a.Reduce == Min) {
		return b
	}
	return a
}

// Check returns an error if a worker has sent something else than a number.
func (p Partial) Check() error {
	if _, err := parseNumber(p.Number); err != nil && p.Number != "" {
		return fmt.Errorf("a partial result is %.100q: %w", p.Number, err)
	}
	return nil
}

// number returns the number as text: a whole number with all its digits, a decimal number
// rounded to a float64. It returns "" if there is no number.
func (p Partial) number() string {
	if p.Number == "" {
		return ""
	}
	n, err := parseNumber(p.Number)
	switch {
	case err != nil:
		return p.Number
	case !n.decimal:
		return p.Number
	}
	v, _ := strconv.ParseFloat(p.Number, 64) // rounds once; too large is infinite
	return text.Float(v)
}

// String returns the number, or "no number".
func (p Partial) String() string {
	if n := p.number(); n != "" {
		return n
	}
	return "no number"
}

// MarshalJSON prints the number, or null. A whole number has all its digits.
func (p Partial) MarshalJSON() ([]byte, error) {
	n := p.number()
	if n == "" {
		return []byte("null"), nil
	}
	if v, err := strconv.ParseFloat(n, 64); math.IsInf(v, 0) && err == nil {
		return text.JSONFloat(v), nil
	}
	return []byte(n), nil
}
