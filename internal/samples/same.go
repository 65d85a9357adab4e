package samples

import (
	"math"
	"math/big"
	"reflect"
	"time"
)

// Same reports whether got is what must arrive of sent: the same bits, nil where it
// was nil, and other memory in the same order. A number in an interface may have another
// width, a time another name of its zone, and no monotonic reading.
func Same(sent, got reflect.Value) bool {
	if sent.Type() != got.Type() {
		return false
	}
	if same, ok := sameSpecial(sent, got); ok {
		return same
	}
	switch sent.Kind() {
	case reflect.Float32:
		return float32Bits(sent) == float32Bits(got)
	case reflect.Float64:
		return math.Float64bits(sent.Float()) == math.Float64bits(got.Float())
	case reflect.Slice, reflect.Array:
		if sent.Len() != got.Len() || sent.Kind() == reflect.Slice && sent.IsNil() != got.IsNil() {
			return false
		}
		for i := range sent.Len() {
			if !Same(sent.Index(i), got.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		return sent.IsNil() == got.IsNil() && sameMap(sent, got)
	case reflect.Pointer:
		return sent.IsNil() == got.IsNil() && (sent.IsNil() || Same(sent.Elem(), got.Elem()))
	case reflect.Struct:
		for i := range sent.NumField() {
			if !Same(sent.Field(i), got.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Interface:
		return sent.IsNil() == got.IsNil() && (sent.IsNil() || Same(widest(sent.Elem()), widest(got.Elem())))
	}
	return sent.Equal(got)
}

func float32Bits(v reflect.Value) uint32 {
	if f := v.Float(); f == f {
		return math.Float32bits(float32(f))
	}
	return math.Float32bits(v.Convert(reflect.TypeFor[float32]()).Interface().(float32))
}

// sameMap finds a partner for each entry, since a NaN cannot be looked up.
func sameMap(sent, got reflect.Value) bool {
	type entry struct{ k, v reflect.Value }
	var left []entry
	for i := got.MapRange(); i.Next(); {
		left = append(left, entry{i.Key(), i.Value()})
	}
next:
	for i := sent.MapRange(); i.Next(); {
		for j, e := range left {
			if Same(i.Key(), e.k) && Same(i.Value(), e.v) {
				left = append(left[:j], left[j+1:]...)
				continue next
			}
		}
		return false
	}
	return len(left) == 0
}

// sameSpecial compares types that say themselves what is the same.
func sameSpecial(sent, got reflect.Value) (same, ok bool) {
	if !sent.CanInterface() {
		return false, false
	}
	switch a := sent.Interface().(type) {
	case time.Time:
		b := got.Interface().(time.Time)
		_, x := a.Zone()
		_, y := b.Zone()
		return a.Equal(b) && x == y && (a.Location() == time.UTC) == (b.Location() == time.UTC), true
	case big.Int:
		b := got.Interface().(big.Int)
		return a.Cmp(&b) == 0, true
	case big.Rat:
		b := got.Interface().(big.Rat)
		return a.Cmp(&b) == 0, true
	case big.Float:
		b := got.Interface().(big.Float)
		return a.Cmp(&b) == 0 && a.Prec() == b.Prec() && a.Mode() == b.Mode() && a.Acc() == b.Acc() && a.Signbit() == b.Signbit(), true
	}
	return false, false
}

// widest is a number as it arrives in an interface.
func widest(v reflect.Value) reflect.Value {
	if v.Type().PkgPath() != "" {
		return v
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return reflect.ValueOf(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() <= math.MaxInt64 {
			return reflect.ValueOf(int64(v.Uint()))
		}
		return reflect.ValueOf(v.Uint())
	case reflect.Float32:
		return reflect.ValueOf(v.Float())
	}
	return v
}
