package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"procpool/ipc"
)

// parseIndex parses a whole number from 0 to 2^62, exactly. It is decimal, and may have
// underscores between digits or a power of ten (1e8). The errors of all functions here say
// what the text must be.
func parseIndex(text string) (int64, error) {
	refuse := func(why string) (int64, error) { return 0, errors.New(why) }
	mantissa, exponent := strings.ToLower(text), 0
	if m, e, ok := strings.Cut(mantissa, "e"); ok {
		var err error
		if exponent, err = strconv.Atoi(e); err != nil || strings.HasPrefix(e, "+-") {
			return refuse(notANumber)
		}
		mantissa = m
	}
	if negative, ok := strings.CutPrefix(mantissa, "-"); ok && wellFormed(negative) {
		return refuse("it must not be negative")
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "+"), ".")
	if !wellFormed(whole) || strings.Contains(mantissa, ".") && !wellFormed(fraction) {
		return refuse(notANumber)
	}
	digits := strings.ReplaceAll(whole+fraction, "_", "")
	exponent -= len(strings.ReplaceAll(fraction, "_", ""))
	for exponent < 0 && strings.HasSuffix(digits, "0") {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return 0, nil
	}
	if exponent < 0 {
		return refuse("it must be a whole number")
	}
	if len(digits)+min(exponent, 100) > 19 {
		return refuse(tooLarge)
	}
	v, err := strconv.ParseUint(digits+strings.Repeat("0", exponent), 10, 64)
	if err != nil || v > uint64(ipc.MaxIndex) {
		return refuse(tooLarge)
	}
	return int64(v), nil
}

const (
	notANumber = "it must be a whole number, such as 100000000, 100_000_000 or 1e8"
	tooLarge   = "the largest index is 2^62 = 4611686018427387904"
)

// wellFormed reports whether s is digits with single underscores between them.
func wellFormed(s string) bool {
	for i := 0; i < len(s); i++ {
		between := i > 0 && i < len(s)-1 && s[i-1] != '_'
		if (s[i] < '0' || s[i] > '9') && !(s[i] == '_' && between) {
			return false
		}
	}
	return s != ""
}

// parseCount parses a whole number from least to most.
func parseCount(text string, least, most int64) (int64, error) {
	v, err := parseIndex(text)
	switch {
	case err != nil:
		return 0, err
	case v < least:
		return 0, fmt.Errorf("it must be at least %d", least)
	case v > most:
		return 0, fmt.Errorf("it can be at most %d", most)
	}
	return v, nil
}

// parseSize parses a number of bytes; a unit such as M is a power of 1024.
func parseSize(text string) (int64, error) {
	number := strings.ToUpper(text)
	number = strings.TrimSuffix(strings.TrimSuffix(number, "B"), "I")
	shift := 0
	if i := strings.IndexAny("KMGT", lastByte(number)); i >= 0 && number != "" {
		shift, number = 10*(i+1), number[:len(number)-1]
	}
	v, err := strconv.ParseFloat(number, 64)
	if bytes := v * math.Ldexp(1, shift); err == nil && bytes >= 1 && bytes < math.Ldexp(1, 62) {
		return int64(bytes), nil
	}
	return 0, errors.New("it must be a number of bytes, such as 512M or 1.5G")
}

func lastByte(s string) string { return s[max(len(s)-1, 0):] }

// parseDuration parses a time above 0, in Go's units or in seconds.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		if seconds, e := strconv.ParseFloat(text, 64); e == nil && math.Abs(seconds) < 1e9 {
			d, err = time.Duration(seconds*float64(time.Second)), nil
		}
	}
	if err != nil || d <= 0 {
		return 0, errors.New("it must be a time above 0, such as 500ms, 90s or 1h30m")
	}
	return d, nil
}

// parseFraction parses a number between 0 and 1, such as 0.02 or 2%.
func parseFraction(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, errors.New("it must be between 0 and 1, such as 0.02 or 2%")
	}
	return v, nil
}
