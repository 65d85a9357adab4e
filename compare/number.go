package compare

import (
	"encoding/json"
	"math"

	"procpool/internal/text"
)

// A Number is a float64 that JSON can hold whatever its value: it prints with
// the fewest digits that read back to the same bits, and NaN and the infinities
// as the strings "NaN", "+Inf" and "-Inf".
type Number float64

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) { return text.JSONFloat(float64(n)), nil }

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*n = Number(math.NaN())
	case `"+Inf"`:
		*n = Number(math.Inf(1))
	case `"-Inf"`:
		*n = Number(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
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

// IsZero reports whether the measurement is unavailable; encoding/json calls it
// for fields tagged omitzero.
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
