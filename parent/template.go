package parent

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"procpool/internal/text"
)

// A template is a launcher's command line: words, each a series of literal pieces and
// placeholders.
type template [][]piece

// A piece is literal text, or the name of a placeholder.
type piece struct{ literal, name string }

// The placeholders. Those of inWords may stand anywhere in a word. Those of ownWords
// stand for several words and must be words of their own.
var (
	inWords  = [...]string{"rank", "n", "host", "cpu", "exe", "cmd"}
	ownWords = [...]string{"argv", "args"}
)

// A fill holds the values of the placeholders for one worker.
type fill struct {
	rank, n        int
	host, cpu, exe string
	args           []string // of the program
}

// parseTemplate splits text into words as [SplitWords] does, and parses the placeholders
// in them. {{ and }} are literal braces. If none of {argv}, {args} and {cmd} occurs,
// {argv} is appended.
func parseTemplate(text string) (template, error) {
	words, err := SplitWords(text)
	if err != nil {
		return nil, err
	}
	var t template
	for _, w := range words {
		pieces, err := parseWord(w)
		if err != nil {
			return nil, err
		}
		t = append(t, pieces)
	}
	if !t.has("argv") && !t.has("args") && !t.has("cmd") {
		t = append(t, []piece{{name: "argv"}})
	}
	return t, nil
}

// SplitWords splits a command line into at least one word, as Python's shlex.split does:
// single quotes keep everything, a backslash keeps the next character, and within double
// quotes only a quote or a backslash. There is no shell: $, `, * and ~ stand for
// themselves.
func SplitWords(text string) (words []string, err error) {
	var word strings.Builder
	started := false
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(text) {
				return nil, errors.New("nothing follows its last backslash")
			}
			if quote == '"' && text[i] != '"' && text[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(text[i])
			started = true
		case c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, started = c, true
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if started {
				words = append(words, word.String())
				word.Reset()
			}
			started = false
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c in it is not closed", quote)
	}
	if started {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("it is empty")
	}
	return words, nil
}

// parseWord splits a word into literal pieces and placeholders.
func parseWord(word string) (pieces []piece, err error) {
	rest := word
	literal := func(s string) {
		if n := len(pieces); n > 0 && pieces[n-1].name == "" {
			pieces[n-1].literal += s
		} else {
			pieces = append(pieces, piece{literal: s})
		}
	}
	for rest != "" {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			literal(rest)
			break
		}
		if at > 0 {
			literal(rest[:at])
			rest = rest[at:]
		}
		if strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}") {
			literal(rest[:1])
			rest = rest[2:]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if rest[0] == '}' || end < 0 {
			return nil, fmt.Errorf("the braces in %q do not match; literal ones are written {{ and }}", word)
		}
		name := rest[1:end]
		rest = rest[end+1:]
		switch {
		case slices.Contains(inWords[:], name):
		case !slices.Contains(ownWords[:], name):
			return nil, fmt.Errorf("unknown placeholder {%s}; use {%s} or {%s}; literal braces are written {{ and }}", name,
				strings.Join(inWords[:], "} {"), strings.Join(ownWords[:], "} {"))
		case len(word) != len(name)+2:
			return nil, fmt.Errorf("{%s} is several words and must stand alone, not in %q", name, word)
		}
		pieces = append(pieces, piece{name: name})
	}
	return pieces, nil
}

// has reports whether a placeholder is in use.
func (t template) has(name string) bool {
	return slices.ContainsFunc(t, func(pieces []piece) bool {
		return slices.ContainsFunc(pieces, func(p piece) bool { return p.name == name })
	})
}

// expand returns the command line for one worker.
func (t template) expand(f fill) []string {
	var words []string
	for _, pieces := range t {
		if len(pieces) == 1 && pieces[0].name == "argv" {
			words = append(append(words, f.exe), f.args...)
			continue
		}
		if len(pieces) == 1 && pieces[0].name == "args" {
			words = append(words, f.args...)
			continue
		}
		var word strings.Builder
		for _, p := range pieces {
			word.WriteString(f.value(p))
		}
		words = append(words, word.String())
	}
	return words
}

func (f *fill) value(p piece) string {
	switch p.name {
	case "rank":
		return strconv.Itoa(f.rank)
	case "n":
		return strconv.Itoa(f.n)
	case "host":
		return f.host
	case "cpu":
		return f.cpu
	case "exe":
		return f.exe
	case "cmd":
		return text.ShellQuote(append([]string{f.exe}, f.args...)...)
	}
	return p.literal
}
