// Package text formats what several packages print: counts with their nouns,
// sizes, floats that read back to the same bits, text that a terminal shows as it is,
// wrapped lines and shell words.
package text

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// Plural returns a number and its noun: "1 worker", "2 workers".
func Plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}

// Bytes returns a size of n bytes with three significant digits, in the first
// unit in which it is below 1000: "1.5 MiB".
func Bytes(n float64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	unit := 0
	for n >= 999.5 && unit < len(units)-1 {
		n /= 1024
		unit++
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + " " + units[unit]
}

// Float returns v with the fewest digits that read back to the same bits.
func Float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// JSONFloat returns v as JSON. JSON has no NaN and no infinities, so these
// become the strings "NaN", "+Inf" and "-Inf".
func JSONFloat(v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(nil, Float(v))
	}
	return []byte(Float(v))
}

// Wrap yields s in lines of at most width bytes. It breaks lines at a blank or
// after a comma (for lists of CPUs), and inside a word if there is neither.
func Wrap(s string, width int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s = strings.TrimSpace(s); s != ""; {
			end := len(s)
			if end > width {
				end = width
				if s[width] != ' ' {
					if at := strings.LastIndexAny(s[:width], " ,"); at >= 0 {
						end = at + 1
					}
				}
			}
			if !yield(strings.TrimRight(s[:end], " ")) {
				return
			}
			s = strings.TrimLeft(s[end:], " ")
		}
	}
}

// ShellQuote joins words to a string that a POSIX shell splits into the same
// words.
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
