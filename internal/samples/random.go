package samples

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"time"
)

// A Source makes random types and values.
type Source struct{ *rand.Rand }

// New returns a source of the same types and values for the same seed.
func New(seed uint64) Source { return Source{rand.New(rand.NewPCG(seed, 1))} }

var basic = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[any](),
}

// hopeless are types of which no value can be sent.
var hopeless = []reflect.Type{
	reflect.TypeFor[uintptr](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[chan int](),
	reflect.TypeFor[func()](), reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](), reflect.TypeFor[map[any]int](), reflect.TypeFor[map[*int]int](),
	reflect.TypeFor[struct{ a int }](), reflect.TypeFor[struct {
		Point
		Y string
	}](), reflect.TypeFor[struct{ *Point }](),
}

// Type makes a type that is nested at most so deep.
func (s Source) Type(depth int) reflect.Type {
	choice := s.IntN(100)
	switch {
	case choice == 0:
		return hopeless[s.IntN(len(hopeless))]
	case depth == 0 || choice < 30:
		return basic[s.IntN(len(basic))]
	case choice < 50:
		return named[s.IntN(len(named))]
	case choice < 60:
		return reflect.SliceOf(s.Type(depth - 1))
	case choice < 65:
		return reflect.ArrayOf(s.IntN(4), s.Type(depth-1))
	case choice < 75:
		return reflect.PointerTo(s.Type(depth - 1))
	case choice < 83:
		return reflect.MapOf(s.key(depth-1), s.Type(depth-1))
	}
	fields := make([]reflect.StructField, s.IntN(5))
	for i := range fields {
		fields[i] = reflect.StructField{Name: string(rune('A' + i)), Type: s.Type(depth - 1)}
		switch s.IntN(20) {
		case 0, 1, 2:
			fields[i].Tag = `msgpack:",omitempty"`
		case 3:
			fields[i].Tag = `msgpack:"A"` // the first one's name, too
		case 4:
			fields[i].Tag = reflect.StructTag(fmt.Sprintf(`msgpack:"%s"`, strings.Repeat("n", i+1)))
		}
	}
	return reflect.StructOf(fields)
}

// key makes a type of map keys.
func (s Source) key(depth int) reflect.Type {
	for {
		if t := s.Type(depth); t.Comparable() {
			return t
		}
	}
}

// Value makes a value that can be addressed. It may be one that must be refused.
func (s Source) Value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	s.fill(v, 6)
	return v
}

// fill sets v, which is zero, to something nested at most so deep.
func (s Source) fill(v reflect.Value, depth int) {
	if s.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(s.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(s.bits(v.Type().Bits())))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(s.bits(v.Type().Bits()))
	case reflect.Float32:
		v.Set(reflect.ValueOf(math.Float32frombits(uint32(s.float(32)))).Convert(v.Type()))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(s.float(64)))
	case reflect.String:
		v.SetString(s.text())
	case reflect.Slice:
		if n := s.size(depth); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			s.fillList(v, depth)
		}
	case reflect.Array:
		s.fillList(v, depth)
	case reflect.Map:
		s.fillMap(v, depth)
	case reflect.Pointer:
		if depth > 0 && s.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			s.fill(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || f.Kind() == reflect.Struct && v.Type().Field(i).Anonymous {
				s.fill(f, depth)
			}
		}
	case reflect.Interface:
		if v.NumMethod() == 0 && s.IntN(5) > 0 {
			if x := s.any(depth); x != nil {
				v.Set(reflect.ValueOf(x))
			}
		}
	}
}

// size is the length of a list or a map, or below zero for nil.
func (s Source) size(depth int) int {
	switch {
	case depth <= 0:
		return s.IntN(2) - 1
	case depth > 4 && s.IntN(10) == 0:
		return 17 // more than the shortest header can say
	}
	return s.IntN(5) - 1
}

func (s Source) fillList(v reflect.Value, depth int) {
	for i := range v.Len() {
		s.fill(v.Index(i), depth-1)
	}
}

func (s Source) fillMap(v reflect.Value, depth int) {
	n := s.size(depth)
	if n < 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		k, x := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if s.fill(k, 1); k.Comparable() {
			s.fill(x, depth-1)
			v.SetMapIndex(k, x)
		}
	}
}

// special sets v if its type has values that cannot be made field by field.
func (s Source) special(v reflect.Value) bool {
	if !v.CanSet() {
		return false
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = s.time()
	case *big.Int:
		p.Lsh(big.NewInt(s.Int64()-s.Int64()), uint(s.IntN(300)))
	case *big.Rat:
		p.SetFrac64(s.Int64()-s.Int64(), 1+s.Int64N(1<<40))
	case *big.Float:
		p.SetPrec(uint(s.IntN(500))).SetMode(big.RoundingMode(s.IntN(6)))
		p.Quo(big.NewFloat(float64(s.IntN(9)-4)), new(big.Float).SetPrec(300).SetInt64(3))
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, 0, byte(s.Uint32())})
	case *Bin:
		p.s = s.text()
	case *Bins:
		p.b = append([]byte(nil), s.text()...)
	case *Text:
		p.n = int(s.bits(64))
	case *Said:
		p.v = []string{s.text()}
	case *Opt:
		if n := int(s.bits(64)); s.IntN(3) > 0 {
			p.v = &n
		}
	case *Odd:
		p.N = 98 - s.IntN(100) + s.IntN(2)
	default:
		return false
	}
	return true
}

func (s Source) time() time.Time {
	t := time.Unix(s.Int64N(1<<36)-1<<35, s.Int64N(1e9))
	switch s.IntN(6) {
	case 0:
		return time.Time{}
	case 1:
		return time.Now()
	case 2:
		return t.UTC()
	case 3:
		return t.In(time.FixedZone("here", s.IntN(100000)-50000))
	case 4:
		return t.In(time.FixedZone("a minute west", []int{-60, -61, 1 << 22}[s.IntN(3)]))
	}
	return t
}

// bits makes an integer of so many bits, often one at an edge. The bits above are
// those of its sign, or zero.
func (s Source) bits(n int) uint64 {
	v := s.Uint64() >> s.IntN(64)
	switch s.IntN(4) {
	case 0:
		v = 1<<s.IntN(n) - 1
	case 1:
		v = 1 << s.IntN(n)
	case 2:
		v = -v
	}
	return v & (1<<n - 1) // SetInt and SetUint cut it
}

func (s Source) float(n int) uint64 {
	if s.IntN(2) == 0 {
		return s.Uint64() // of them some are NaN
	}
	f := []float64{0, math.Copysign(0, -1), 1, -1.5, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64}[s.IntN(8)]
	if n == 32 {
		return uint64(math.Float32bits(float32(f))) | uint64(s.IntN(2)&s.IntN(2))
	}
	return math.Float64bits(f) | uint64(s.IntN(2)&s.IntN(2))
}

func (s Source) text() string {
	return []string{"", "a", "\xff\x00", "é", strings.Repeat("x", 31), strings.Repeat("y", 300)}[s.IntN(6)]
}

// any makes what an interface holds; one in ten cannot be sent.
func (s Source) any(depth int) any {
	t := basic[s.IntN(len(basic)-1)] // the last one is an interface
	switch choice := s.IntN(20); {
	case choice < 2:
		t = s.Type(1)
	case choice < 5 && depth > 0:
		t = reflect.TypeFor[[]any]()
	case choice < 7 && depth > 0:
		t = reflect.TypeFor[map[string]any]()
	case choice < 8:
		t = reflect.TypeFor[[]byte]()
	}
	v := reflect.New(t).Elem()
	s.fill(v, depth-1)
	return v.Interface()
}
