// Package units prints measurements for people: times, ratios and intervals, each with
// about as many digits as say something.
package units

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"procpool/internal/text"
)

// Digits prints x with about three significant digits and no exponent, as long
// as it is between a thousandth and a billion.
func Digits(x float64) string {
	format := func(verb byte, precision int) string {
		return minus(strconv.FormatFloat(x, verb, precision, 64))
	}
	switch a := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return strings.Replace(format('f', -1), "Inf", "∞", 1)
	case a >= 99.95 || a == 0:
		return format('f', 0)
	case a >= 9.995:
		return format('f', 1)
	case a >= 0.9995:
		return format('f', 2)
	}
	return format('g', 3)
}

// minus turns the hyphen of a negative number into a minus sign.
func minus(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "−" + rest
	}
	return s
}

// A Unit scales seconds for print.
type Unit struct {
	Name  string
	Scale float64
}

// Of is the unit in which x seconds print well.
func Of(x float64) Unit {
	switch a := math.Abs(x); {
	case math.IsInf(x, 0) || a >= 0.9995 || a == 0:
		return Unit{"s", 1}
	case a >= 0.9995e-3:
		return Unit{"ms", 1e3}
	case a >= 0.9995e-6:
		return Unit{"µs", 1e6}
	}
	return Unit{"ns", 1e9}
}

// Seconds prints a time with its unit.
func Seconds[F ~float64](x F) string {
	u := Of(float64(x))
	return Digits(float64(x)*u.Scale) + " " + u.Name
}

// Signed is Seconds with its sign, for differences.
func Signed[F ~float64](x F) string {
	if x > 0 {
		return "+" + Seconds(x)
	}
	return Seconds(x)
}

// Percent prints a share.
func Percent(x float64) string { return Digits(100*x) + " %" }

// Level prints a confidence level or a margin; 99.58 % must not become 100 %.
func Level(x float64) string { return fmt.Sprintf("%.4g %%", 100*x) }

// Span prints the interval of a time in the unit of its centre.
func Span[F ~float64](centre, low, high F) string {
	u := Of(float64(centre))
	return fmt.Sprintf("[%s .. %s]", Digits(float64(low)*u.Scale), Digits(float64(high)*u.Scale))
}

// Ratio prints a ratio so that a difference of a percent shows, and one below 1 as a
// fraction: 1/1.8.
func Ratio[F ~float64](r F) string {
	x, sign := float64(r), ""
	if x > 0 && x < 0.995 {
		x, sign = 1/x, "1/"
	}
	switch {
	case x >= 1e6 || math.IsNaN(x):
		return sign + strings.Replace(fmt.Sprintf("%.2g", x), "+Inf", "∞", 1)
	case x >= 9.995:
		return sign + Digits(x)
	case x == 0:
		return "0"
	case x >= 1.995:
		return sign + strconv.FormatFloat(x, 'f', 1, 64)
	}
	return sign + strconv.FormatFloat(x, 'f', 2, 64)
}

// RatioSpan prints the interval of a ratio. An end that is not 1 does not look like 1.
func RatioSpan[F ~float64](low, high F) string {
	end := func(r F) string {
		s := Ratio(r)
		for digits := 3; digits < 6 && r != 1 && strings.TrimRight(strings.TrimPrefix(s, "1/"), "0") == "1."; digits++ {
			if s = strconv.FormatFloat(float64(r), 'f', digits, 64); r < 1 {
				s = "1/" + strconv.FormatFloat(1/float64(r), 'f', digits, 64)
			}
		}
		return s
	}
	return fmt.Sprintf("[%s .. %s]", end(low), end(high))
}

// Count prints a number of things, whole where it is.
func Count(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return Digits(x)
}

// Tick prints a tick of an axis: six significant digits, no trailing zeros, which hides
// the last bits of k*step.
func Tick(x float64) string {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if v == 0 { // -0 as well
		return "0"
	}
	return minus(strconv.FormatFloat(v, 'f', -1, 64))
}

var ascii = strings.NewReplacer("×", "x", "−", "-", "±", "+-", "µ", "u", "∞", "inf", "…", "~", "≤", "<=", "→", "->", "▲", "^", "▼", "v")

// ASCII replaces the signs that this package and its users print, for a terminal that
// shows no others. Anything else that is not ASCII becomes a question mark.
func ASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 126 {
			return '?'
		}
		return r
	}, ascii.Replace(s))
}

// Printable replaces what a terminal, a browser or an editor would act on, and not
// show. Each character stays one, so that columns keep their width. A record may come
// from elsewhere.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if text.Hidden(r) || r == '\t' {
			return '?'
		}
		return r
	}, s)
}

// Wrap breaks s at blanks into lines of at most so many characters. A longer word has a
// line of its own; a number and its unit are one word.
func Wrap(s string, width int) (lines []string) {
	line, length := "", 0
	words := strings.Fields(s)
	for i, word := range words {
		if i > 0 && isUnit(word) {
			continue
		}
		if i+1 < len(words) && isUnit(words[i+1]) {
			word += " " + words[i+1]
		}
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	return append(lines, line)
}

func isUnit(word string) bool {
	return slices.Contains([]string{"%", "s", "ms", "µs", "ns"}, strings.TrimRight(word, ".,;:)"))
}
