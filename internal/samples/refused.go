package samples

import (
	"encoding"
	"math/big"
	"reflect"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Hopeless reports whether no value of t can be sent.
func Hopeless(t reflect.Type) bool { return hopelessType(t, make(map[reflect.Type]bool)) }

func hopelessType(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Uintptr, reflect.Complex64, reflect.Complex128, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Interface:
		return t.NumMethod() > 0
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return hopelessType(t.Elem(), seen)
	case reflect.Map:
		return hasPointer(t.Key()) || hopelessType(t.Key(), seen) || hopelessType(t.Elem(), seen)
	case reflect.Struct:
		names := make(map[string]int)
		return hopelessStruct(t, seen, names)
	}
	return false
}

// hopelessStruct counts the names that the fields have on the wire.
func hopelessStruct(t reflect.Type, seen map[reflect.Type]bool, names map[string]int) bool {
	for f := range t.Fields() {
		name := wireName(f)
		inlined := f.Anonymous && f.Type.Kind() == reflect.Struct && !encodesItself(f.Type) && f.Tag.Get("msgpack") != ",noinline"
		switch {
		case name == "_" || name == "_msgpack":
			continue
		case inlined:
			if hopelessStruct(f.Type, seen, names) {
				return true
			}
			continue
		case !f.IsExported(), f.Anonymous && f.Type.Kind() == reflect.Pointer:
			return true
		}
		if names[name]++; names[name] > 1 || hopelessType(f.Type, seen) {
			return true
		}
	}
	return false
}

func wireName(f reflect.StructField) string {
	for i, c := range f.Tag.Get("msgpack") + "," {
		if c == ',' && i > 0 {
			return f.Tag.Get("msgpack")[:i]
		} else if c == ',' {
			break
		}
	}
	return f.Name
}

// hasPointer reports whether map keys of type t have pointers or interfaces in them.
func hasPointer(t reflect.Type) bool {
	switch {
	case encodesItself(t):
		return false
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface:
		return true
	case t.Kind() == reflect.Array:
		return hasPointer(t.Elem())
	case t.Kind() == reflect.Struct:
		for f := range t.Fields() {
			if hasPointer(f.Type) {
				return true
			}
		}
	}
	return false
}

// encodesItself reports whether a type has methods in both directions. Log and Date have
// those of their field.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t == reflect.TypeFor[Log]() || t == reflect.TypeFor[Date]() {
		return false
	}
	p := reflect.New(t).Interface()
	switch p.(type) {
	case *time.Time, *big.Float:
		return true
	case msgpack.CustomDecoder, msgpack.Unmarshaler, encoding.BinaryUnmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}

// Refused reports whether v, whose type is not hopeless, must be refused: for what
// an interface in it holds, a pointer to nil, or a method that fails.
func Refused(v reflect.Value) bool {
	if encodesItself(v.Type()) {
		return failsItself(v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && (becomesNil(v.Elem()) || Refused(v.Elem()))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if Refused(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if Refused(i.Key()) || Refused(i.Value()) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if Refused(v.Field(i)) {
				return true
			}
		}
	case reflect.Interface:
		return !v.IsNil() && (!plain(v.Elem()) || Refused(v.Elem()))
	}
	return false
}

// plain reports whether an interface may hold v.
func plain(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		t := v.Type()
		return !v.IsNil() && (t == reflect.TypeFor[[]any]() || t == reflect.TypeFor[[]byte]() || t == reflect.TypeFor[map[string]any]())
	case reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return false
	}
	return v.Type().PkgPath() == "" && (v.Kind() <= reflect.Float64 || v.Kind() == reflect.String)
}

// becomesNil reports whether v is nil on the wire.
func becomesNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return v.Type() == reflect.TypeFor[Opt]() && v.Field(0).IsNil()
}

// failsItself reports whether v's own method refuses it.
func failsItself(v reflect.Value) bool {
	switch v.Type() {
	case reflect.TypeFor[Odd]():
		return v.Field(0).Int() < 0 || v.Field(0).Int() == 99
	case reflect.TypeFor[time.Time]():
		_, err := v.Interface().(encoding.BinaryMarshaler).MarshalBinary() // it has no form for some zones
		return err != nil
	}
	return false
}
