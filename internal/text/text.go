// Package text prints what several rooms print alike: numbers of things, sizes,
// floats that read back to the same bits, wrapped lines, words for a shell.
package text

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// Plural is a number and its noun: "1 worker", "2 workers".
func Plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}

// Bytes prints a size in the largest binary unit that it fills, with three
// significant digits: "1.5 MiB".
func Bytes(n float64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	unit := 0
	for n >= 999.5 && unit < len(units)-1 {
		n /= 1024
		unit++
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + " " + units[unit]
}

// Float prints v with the fewest digits that read back to the same bits.
func Float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// JSONFloat is v in JSON, which has no NaN and no infinities: they are the
// strings "NaN", "+Inf" and "-Inf".
func JSONFloat(v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, Float(v))
	}
	return []byte(Float(v))
}

// OneLine makes one line of a message, which may quote anything: line ends
// become "; ", other control characters blanks.
func OneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Wrap cuts s into lines of at most width bytes: behind a blank, or behind a
// comma for lists of CPUs, or else in the middle of a word.
func Wrap(s string, width int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s = strings.TrimSpace(s); s != ""; {
			end := len(s)
			if end > width {
				end = width
				if cut := strings.LastIndexAny(s[:width+1], " ,"); cut > 0 && cut < width {
					end = cut + 1
				} else if s[width] == ' ' {
					end = width
				}
			}
			if !yield(strings.TrimRight(s[:end], " ")) {
				return
			}
			s = strings.TrimLeft(s[end:], " ")
		}
	}
}

// ShellQuote is one string that a POSIX shell splits into words again.
func ShellQuote(words ...string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, needsQuotes) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}

func needsQuotes(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_@%+=:,./-", r)
	return !plain
}
