package ipc

import (
	"fmt"
	"reflect"
)

// Carries reports why values of type t cannot travel, or nil: a kind that
// msgpack does not have, or an unexported field, whose value would be lost on
// the way. Types that encode themselves are taken at their word.
func Carries(t reflect.Type) error {
	return carries(t, t.String(), make(map[reflect.Type]bool))
}

// carries looks at t, which stands at path in the type asked about.
func carries(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] || decodesItself(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("%s: a %v cannot be sent to another process", path, t.Kind())
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return carries(t.Elem(), path, seen)
	case reflect.Map:
		if err := carries(t.Key(), path+" key", seen); err != nil {
			return err
		}
		return carries(t.Elem(), path+" element", seen)
	case reflect.Struct:
		return fieldsCarry(t, path, seen)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("%s: an interface with methods cannot be decoded in another process", path)
		}
	}
	return nil
}

func fieldsCarry(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	for f := range t.Fields() {
		if f.Name == "_msgpack" || f.Tag.Get("msgpack") == "-" {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Pointer && !decodesItself(f.Type) {
			return fmt.Errorf("%s: the embedded pointer %s would arrive as another value where it is nil; give the field a name", path, f.Name)
		}
		if !f.IsExported() && !embedsFields(f) {
			return fmt.Errorf("%s: field %s is not exported, its value would be lost on the way to another process", path, f.Name)
		}
		if err := carries(f.Type, path+"."+f.Name, seen); err != nil {
			return err
		}
	}
	return nil
}
