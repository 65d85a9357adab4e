package ipc

import (
	"math/big"
	"reflect"
	"time"
)

// DecodesItself reports whether a value of type t, or one inside it, is decoded by
// a method of its own type. Such a method may do anything: fail, panic, or never
// return. The standard library's time.Time and big numbers are trusted.
func DecodesItself(t reflect.Type) bool { return hasDecoder(t, make(map[reflect.Type]bool)) }

func hasDecoder(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[big.Int](), reflect.TypeFor[big.Float](), reflect.TypeFor[big.Rat]():
		return false
	}
	if decodesItself(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return hasDecoder(t.Elem(), seen)
	case reflect.Map:
		return hasDecoder(t.Key(), seen) || hasDecoder(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if hasDecoder(f.Type, seen) {
				return true
			}
		}
	}
	return false
}
