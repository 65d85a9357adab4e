package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"procpool/compare"
)

// digits prints x with about three significant digits and no exponent, as long
// as it is between a thousandth and a billion.
func digits(x float64) string {
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

// A unit scales seconds for print.
type unit struct {
	name  string
	scale float64
}

// unitOf is the unit in which x seconds print well.
func unitOf(x float64) unit {
	switch a := math.Abs(x); {
	case math.IsInf(x, 0) || a >= 1 || a == 0:
		return unit{"s", 1}
	case a >= 0.9995e-3:
		return unit{"ms", 1e3}
	case a >= 0.9995e-6:
		return unit{"µs", 1e6}
	}
	return unit{"ns", 1e9}
}

func seconds[F ~float64](x F) string {
	u := unitOf(float64(x))
	return digits(float64(x)*u.scale) + " " + u.name
}

// signed is seconds with its sign, for differences.
func signed[F ~float64](x F) string {
	if x > 0 {
		return "+" + seconds(x)
	}
	return seconds(x)
}

func percent(x float64) string { return digits(100*x) + " %" }

// spanOf is an estimate's interval in the unit of its median.
func spanOf(e compare.Estimate) string {
	u := unitOf(float64(e.Median))
	return fmt.Sprintf("[%s .. %s]", digits(float64(e.Low)*u.scale), digits(float64(e.High)*u.scale))
}

// ratioSpan is the interval of a ratio or speed-up.
func ratioSpan(e compare.Estimate) string {
	return fmt.Sprintf("[%s .. %s]", ratio(e.Low), ratio(e.High))
}

// ratio prints with as many digits as a difference of a percent needs.
func ratio[F ~float64](r F) string {
	x := float64(r)
	switch a := math.Abs(x); {
	case a >= 9.995 || a == 0:
		return digits(x)
	case a < 0.0995:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// count prints a number of things, whole where it is.
func count(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return digits(x)
}

// times prints a speed-up.
func times(e compare.Estimate) string { return ratio(e.Median) + "×" }

// maybe prints a measurement, or n/a if there is none.
func maybe[T any](m compare.Maybe[T], print func(T) string) string {
	if v, ok := m.Get(); ok {
		return print(v)
	}
	return "n/a"
}

// blank prints a measurement, or nothing for one that a cell cannot have.
func blank[T any](m compare.Maybe[T], print func(T) string) string {
	if m.IsZero() {
		return ""
	}
	return maybe(m, print)
}

// digitsTrimmed prints a tick of an axis: six significant digits, no trailing
// zeros, which hides the last bits of k*step.
func digitsTrimmed(x float64) string {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if v == 0 { // -0 as well
		return "0"
	}
	return minus(strconv.FormatFloat(v, 'f', -1, 64))
}
