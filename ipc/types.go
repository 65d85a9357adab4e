package ipc

import (
	"fmt"
	"reflect"
)

// CheckType returns an error if values of type t cannot be sent: if they have a kind
// that msgpack lacks, or an unexported field, whose value would be lost. It trusts
// types that encode themselves.
func CheckType(t reflect.Type) error {
	return checkType(t, t.String(), make(map[reflect.Type]bool))
}

// checkType checks t, a part of the type to check. path is for errors.
func checkType(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] || decodesItself(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("%s: a %v cannot be sent to another process", path, t.Kind())
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return checkType(t.Elem(), path, seen)
	case reflect.Map:
		if err := checkType(t.Key(), path+" key", seen); err != nil {
			return err
		}
		return checkType(t.Elem(), path+" element", seen)
	case reflect.Struct:
		return checkFields(t, path, seen)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("%s: an interface with methods cannot be decoded in another process", path)
		}
	}
	return nil
}

func checkFields(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	for f := range t.Fields() {
		if f.Name == "_msgpack" || f.Tag.Get("msgpack") == "-" {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Pointer && !decodesItself(f.Type) {
			return fmt.Errorf("%s: the embedded pointer %s would not arrive as nil; give the field a name", path, f.Name)
		}
		if !f.IsExported() && !embedsFields(f) {
			return fmt.Errorf("%s: field %s is not exported, so its value cannot be sent to another process", path, f.Name)
		}
		if err := checkType(f.Type, path+"."+f.Name, seen); err != nil {
			return err
		}
	}
	return nil
}
