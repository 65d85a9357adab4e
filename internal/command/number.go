package command

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// A number is digits times a power of ten, exactly. A number written without a point or
// an exponent is whole, and a sum of whole numbers is whole.
type number struct {
	digits  big.Int
	power   int64 // of ten; 0 if whole
	decimal bool
}

const (
	maxDigits = 1 << 20 // bytes of a number's text
	maxPower  = 100_000 // of ten in a decimal number, in either direction
)

var (
	errNoNumber = errors.New("no number")
	errTooFar   = errors.New("a number with a power of ten beyond 100000")
)

// printedNumber parses a number that a command printed, within limits that keep sums
// affordable.
func printedNumber(s string) (n number, err error) {
	if len(s) > maxDigits {
		return n, errNoNumber
	}
	if n, err = parseNumber(s); err == nil && (n.power > maxPower || n.power < -maxPower) {
		return n, errTooFar
	}
	return n, err
}

// parseNumber parses [+-]digits[.digits][e[+-]digits]. Digits may be missing on one side
// of the point.
func parseNumber(s string) (n number, err error) {
	mantissa, power := s, int64(0)
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		mantissa, n.decimal = s[:at], true
		if e := trimSign(s[at+1:]); e == "" || !isDigits(e) {
			return n, errNoNumber
		}
		if power, err = strconv.ParseInt(s[at+1:], 10, 32); err != nil {
			return n, errTooFar
		}
	}
	sign := mantissa[:len(mantissa)-len(trimSign(mantissa))]
	whole, fraction, point := strings.Cut(trimSign(mantissa), ".")
	if whole+fraction == "" || !isDigits(whole+fraction) {
		return n, errNoNumber
	}
	n.decimal = n.decimal || point
	n.digits.SetString(sign+whole+fraction, 10)
	n.power = power - int64(len(fraction))
	return n, nil
}

func trimSign(s string) string {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return s[1:]
	}
	return s
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// text returns the canonical text: equal numbers that are both whole or both decimal have
// the same text.
func (n number) text() string {
	if !n.decimal {
		return n.digits.String()
	}
	digits, power := n.digits.String(), n.power
	bare := strings.TrimRight(digits, "0")
	if bare == "" || bare == "-" {
		return "0e0"
	}
	return bare + "e" + strconv.FormatInt(power+int64(len(digits)-len(bare)), 10)
}

// aligned returns the digits of a and b scaled to the lower of their powers of ten.
func aligned(a, b number) (x, y *big.Int, power int64) {
	x, y, power = &a.digits, &b.digits, min(a.power, b.power)
	return scaled(x, a.power-power), scaled(y, b.power-power), power
}

func scaled(digits *big.Int, power int64) *big.Int {
	if power == 0 || digits.Sign() == 0 {
		return digits
	}
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(power), nil)
	return factor.Mul(factor, digits)
}

func (n number) plus(m number) (sum number) {
	x, y, power := aligned(n, m)
	sum.digits.Add(x, y)
	sum.power, sum.decimal = power, n.decimal || m.decimal
	return sum
}

// compare returns a negative number if n < m, 0 if they are equal, else a positive one.
func (n number) compare(m number) int {
	x, y, _ := aligned(n, m)
	return x.Cmp(y)
}
