package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// A flagValue is the cli.Generic of every flag here that is neither a switch nor
// plain text.
type flagValue interface {
	cli.Generic
	refusal(flag string) error // the error of Set, with the name of the flag
	completions() []string     // values for a shell to offer; others may be valid too
}

// A value parses the text of a flag into *to. It keeps its error, because package flag
// passes on only the error's text.
type value[T any] struct {
	to      *T
	text    string // as given, or the default
	read    func(text string) (T, error)
	refused error
	offers  func() []string // may be nil
}

// newValue returns a value with a default. If the default is "", *to keeps its content.
func newValue[T any](to *T, text string, read func(string) (T, error)) *value[T] {
	v := &value[T]{to: to, read: read}
	if text != "" {
		if err := v.Set(text); err != nil {
			panic("cli: a default is refused: " + err.Error())
		}
	}
	return v
}

func (v *value[T]) Set(text string) error {
	v.text = text
	*v.to, v.refused = v.read(text)
	return v.refused
}

func (v *value[T]) String() string { return v.text }

// refusal returns read's error behind the flag and its text, or unchanged if it is a
// failure, which has the whole message.
func (v *value[T]) refusal(flag string) error {
	var whole *failure
	if v.refused == nil || errors.As(v.refused, &whole) {
		return v.refused
	}
	return usage("%s is %q: %w", flag, v.text, v.refused)
}

func (v *value[T]) completions() []string {
	if v.offers == nil {
		return nil
	}
	return v.offers()
}

// offering sets the values that a shell offers.
func (v *value[T]) offering(words ...string) *value[T] {
	v.offers = func() []string { return words }
	return v
}

// number takes a whole number from least to most.
func number[T int | int64 | uint64](to *T, text string, least, most int64) *value[T] {
	return newValue(to, text, func(s string) (T, error) {
		n, err := parseCount(s, least, most)
		return T(n), err
	})
}

func duration(to *time.Duration, text string) *value[time.Duration] {
	return newValue(to, text, parseDuration)
}

// fraction takes a part of one, as 0.02 or 2%.
func fraction(to *float64, text string) *value[float64] { return newValue(to, text, parseFraction) }

// choice takes one of words.
func choice[T ~string](to *T, text string, words ...T) *value[T] {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return newValue(to, text, func(s string) (T, error) {
		if slices.Contains(names, s) {
			return T(s), nil
		}
		last := len(names) - 1
		return "", errors.New("it must be " + strings.Join(names[:last], ", ") + " or " + names[last])
	}).offering(names...)
}

// list takes several values with commas between them.
func list[T any](to *[]T, text string, read func(string) (T, error)) *value[[]T] {
	return newValue(to, text, func(s string) (all []T, err error) {
		for part := range strings.SplitSeq(s, ",") {
			one, err := read(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	})
}

// refusedValue returns the error of the flag whose value was refused. err has the same
// text, but not the exit code and hint.
func refusedValue(c *cli.Context, err error, _ bool) error {
	for _, f := range c.Command.Flags {
		if g, ok := f.(namedFlag).documentedFlag.(*cli.GenericFlag); ok {
			if refused := g.Value.(flagValue).refusal(dashed(g.Name)); refused != nil {
				return refused
			}
		}
	}
	return badInput(err)
}
