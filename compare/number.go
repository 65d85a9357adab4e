package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// A Number is a float64 that JSON can hold whatever its value: it prints with
// the fewest digits that read back to the same bits, and NaN and the infinities
// as the strings "NaN", "+Inf" and "-Inf".
type Number float64

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendQuote(nil, strconv.FormatFloat(f, 'g', -1, 64)), nil
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Number) UnmarshalJSON(b []byte) error {
	var f float64
	if len(b) == 0 || b[0] != '"' {
		if err := json.Unmarshal(b, &f); err != nil {
			return err
		}
		*n = Number(f)
		return nil
	}
	switch string(b) {
	case `"NaN"`:
		f = math.NaN()
	case `"+Inf"`:
		f = math.Inf(1)
	case `"-Inf"`:
		f = math.Inf(-1)
	default:
		return fmt.Errorf("%s is not a number: want a JSON number, \"NaN\", \"+Inf\" or \"-Inf\"", b)
	}
	*n = Number(f)
	return nil
}

// A Maybe is a measurement that a machine may not offer. The zero value is
// "unavailable", which is not the same as 0 and is never shown as 0; in JSON
// an unavailable field is absent or null.
type Maybe[T any] struct {
	value T
	known bool
}

// Known is the measurement v.
func Known[T any](v T) Maybe[T] { return Maybe[T]{v, true} }

// Get returns the measurement and whether there is one.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.known }

// IsZero says that the measurement is unavailable; encoding/json asks it for
// fields tagged omitzero.
func (m Maybe[T]) IsZero() bool { return !m.known }

// MarshalJSON implements [json.Marshaler].
func (m Maybe[T]) MarshalJSON() ([]byte, error) {
	if !m.known {
		return []byte("null"), nil
	}
	return json.Marshal(m.value)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *Maybe[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = Maybe[T]{}
		return nil
	}
	m.known = true
	return json.Unmarshal(b, &m.value)
}
