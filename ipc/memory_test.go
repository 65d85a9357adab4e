package ipc

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// listClaim is an array of n elements, each of which takes a byte.
func listClaim(n int, element string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xdd}, uint32(n)), strings.Repeat(element, n)...)
}

// A value costs memory by what came, and not by what it claims to be.
func TestClaimsTakeNoMemory(t *testing.T) {
	const n = 32 << 20
	type holder struct{ List []float64 }
	for name, c := range map[string]struct {
		value  []byte
		decode func(value []byte) error
	}{
		"floats that are nil":   {listClaim(n, "\xc0"), into[[]float64]},
		"floats that are 1":     {listClaim(n, "\x01"), into[[]float64]},
		"integers that are nil": {listClaim(n, "\xc0"), into[[]int]},
		"integers but the last": {append(listClaim(n, "\x01")[:n], "\xa4xxxx"...), into[[]int64]},
		"floats in a struct":    {append([]byte("\x81\xa4List"), listClaim(n, "\x01")...), into[holder]},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.decode(c.value)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; err == nil || used > n+1<<20 { // as much as came
				t.Errorf("%d KiB for a value of %d MiB, %v", used>>10, n>>20, err)
			}
		})
	}
}

func into[T any](value []byte) error { return DecodeValue(value, new(T)) }

// Long lists arrive all the same.
func TestLongLists(t *testing.T) {
	list := make([]int, manyElements+1)
	for i := range list {
		list[i] = i * i
	}
	roundTrip(t, list, list)
	floats := make([]float64, manyElements+1)
	floats[manyElements] = 0.1
	roundTrip(t, floats, floats)
}
