package pool

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"procpool/internal/samples"
	"procpool/ipc"
	"procpool/task"
)

// A family is a task that returns its input, of one type, and its test.
type family struct {
	name string
	test func(t *testing.T, s samples.Source, pools []*Pool)
}

func familyOf[T any]() family {
	name := "values-" + reflect.TypeFor[T]().String()
	echo := task.Define(name, func(_ context.Context, in T) (T, error) { return in, nil })
	return family{name, func(t *testing.T, s samples.Source, pools []*Pool) {
		inputs := make([]T, 60)
		for i := range inputs {
			inputs[i] = *s.Value(reflect.TypeFor[T]()).Addr().Interface().(*T)
		}
		for _, p := range pools {
			i := 0
			for out, err := range Map(t.Context(), p, echo, slices.Values(inputs)) {
				if text := arrived(&inputs[i], &out, err); text != "" {
					t.Errorf("%s %+v in %s: %s", name, inputs[i], p.opts.Backend, text)
				}
				i++
			}
			if i != len(inputs) {
				t.Errorf("%s in %s: %d outputs", name, p.opts.Backend, i)
			}
		}
	}}
}

// arrived says what is wrong with the output of an input that was to come back.
func arrived[T any](in, out *T, err error) string {
	sent := reflect.ValueOf(in).Elem()
	if samples.Refused(sent) {
		var refused *InputError
		var value *ValueError
		if !errors.As(err, &refused) || !errors.As(err, &value) || value.Type != sent.Type() {
			return fmt.Sprintf("it comes back as %+v, %v; it is to be refused", *out, err)
		}
		return ""
	}
	if err != nil || !samples.Same(sent, reflect.ValueOf(out).Elem()) {
		return fmt.Sprintf("it comes back as %+v, %v", *out, err)
	}
	return ""
}

type (
	mixed struct {
		Any  any
		Time time.Time
		List []mixed
		Map  map[string]*mixed
		F    float32 `msgpack:"f,omitempty"`
	}
	widths struct {
		I8  int8
		I16 int16
		I32 int32
		I64 int64
		U   uint
		U8  uint8
		U16 uint16
		U32 uint32
		U64 uint64
		F   float32
		D   time.Duration
	}
	bigs struct {
		I *big.Int
		R big.Rat
		F big.Float
		P **big.Float
	}
)

var families = []family{
	familyOf[bool](), familyOf[int](), familyOf[int8](), familyOf[int64](), familyOf[uint16](), familyOf[uint64](), familyOf[float32](), familyOf[float64](),
	familyOf[string](), familyOf[[]byte](), familyOf[[4]byte](), familyOf[any](), familyOf[[]any](), familyOf[map[string]any](), familyOf[[]int](),
	familyOf[[]float64](), familyOf[[][]float32](), familyOf[[3]string](), familyOf[map[float64]int](), familyOf[map[[2]int8]string](), familyOf[map[string][]bool](),
	familyOf[*int](), familyOf[**string](), familyOf[*[]int](), familyOf[*any](), familyOf[struct{}](), familyOf[widths](), familyOf[bigs](), familyOf[mixed](),
	familyOf[*mixed](), familyOf[time.Time](), familyOf[big.Float](), familyOf[netip.Addr](), familyOf[samples.Tagged](), familyOf[samples.Listed](),
	familyOf[samples.Outer](), familyOf[samples.Node](), familyOf[samples.Tree](), familyOf[samples.Nest](), familyOf[samples.Bin](),
	familyOf[samples.Bins](), familyOf[map[samples.Word]samples.Text](), familyOf[[]samples.Said](), familyOf[*samples.Opt](), familyOf[samples.Show](),
	familyOf[samples.Odd](), familyOf[[]samples.Odd](), familyOf[samples.Log](), familyOf[samples.Date](),
}

// Random values of many types come back as they were sent, or are refused, in every
// backend alike.
func TestValuesInEveryBackend(t *testing.T) {
	seed := uint64(14)
	if s := os.Getenv("PROCPOOL_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("PROCPOOL_TEST_SEED=%d", seed)
	pools := openAll(t)
	for i, f := range families {
		f.test(t, samples.New(seed+uint64(i)), pools)
	}
	noneLost(t, pools)
}

// openAll opens a pool of each backend.
func openAll(t *testing.T) (pools []*Pool) {
	for _, backend := range backends {
		pools = append(pools, openPool(t, Options{Procs: 1, Backend: backend}))
	}
	return pools
}

func noneLost(t *testing.T, pools []*Pool) {
	for _, p := range pools {
		for _, s := range p.Stats() {
			if s.Restarts > 0 {
				t.Errorf("%s: worker %d was restarted %d times", p.opts.Backend, s.Worker, s.Restarts)
			}
		}
	}
}

type link struct {
	Next *link
	Any  any
}

// links makes a chain, or, of less than nothing, a ring.
func links(n int) *link {
	if n < 0 {
		l := &link{}
		l.Next = &link{Next: l}
		return l
	}
	var l *link
	for range n {
		l = &link{Next: l}
	}
	return l
}

var (
	takeLinks = task.Define("values-take-links", func(_ context.Context, l *link) (n int, _ error) {
		for ; l != nil; l = l.Next {
			n++
		}
		return n, nil
	})
	makeLinks = task.Define("values-make-links", func(_ context.Context, n int) (*link, error) { return links(n), nil })
	sumLinks  = task.DefineSum("values-sum-links", func(_ context.Context, iv ipc.Interval) (*link, error) { return links(int(iv.Len())), nil },
		func(a, b *link) *link { return b })
)

// The deepest value that fits into a message is 254 levels deep. One that is deeper, or
// a cycle, fails its input as an input or as an output, and costs no worker.
func TestCyclesAndDepthFailTheirInput(t *testing.T) {
	pools := openAll(t)
	for _, p := range pools {
		for _, n := range []int{1, 254, -1, 255, 100_000, 254} {
			refused := n < 0 || n > 254
			got, err := Call(t.Context(), p, takeLinks, links(n))
			var in *InputError
			if refused != errors.As(err, &in) || refused && !strings.Contains(err.Error(), ".Next.Next") || !refused && (err != nil || got != n) {
				t.Errorf("%s: an input of %d levels: %d, %v", p.opts.Backend, n, got, err)
			}
			made, err := Call(t.Context(), p, makeLinks, n)
			var out *TaskError
			if refused != errors.As(err, &out) || refused && (made != nil || !strings.Contains(err.Error(), "result: value of type *pool.link cannot be encoded: .Next.Next")) ||
				!refused && err != nil {
				t.Errorf("%s: an output of %d levels: %v", p.opts.Backend, n, err)
			}
		}
		var out *TaskError
		if _, err := Sum(t.Context(), p, sumLinks, ipc.Interval{End: 300}); !errors.As(err, &out) || !strings.Contains(err.Error(), "nested deeper than 254 levels") {
			t.Errorf("%s: a partial of 300 levels: %v", p.opts.Backend, err)
		}
	}
	noneLost(t, pools)
}

var twoNames = task.Define("values-two-names", func(context.Context, struct {
	link
	Next int
}) (int, error) {
	return 0, nil
})

// What is wrong with a type or a value is an error of its own type, whatever the
// backend, and names the place.
func TestRefusalsSayWhere(t *testing.T) {
	for _, p := range openAll(t) {
		_, err := Call(t.Context(), p, twoNames, struct {
			link
			Next int
		}{})
		var typ *TypeError
		if !errors.As(err, &typ) || !strings.Contains(err.Error(), "fields link.Next and Next both have the name Next") {
			t.Errorf("%s: %v", p.opts.Backend, err)
		}
		_, err = Call(t.Context(), p, takeLinks, &link{Next: &link{Any: map[string]any{"a": []any{1, link{}}}}})
		var value *ValueError
		if !errors.As(err, &value) || value.Path != `.Next.Any["a"][1]` || !strings.Contains(err.Error(), "a pool.link in an interface would arrive as another type") {
			t.Errorf("%s: %v", p.opts.Backend, err)
		}
		if in, ok := InputOf(err); !ok || in.Index != 0 {
			t.Errorf("%s: the input of %v is %v", p.opts.Backend, err, in)
		}
	}
}

// A small value that is a long message fails its input, before it fills the memory.
func TestSharedPartsThatTakeTooMuchRoom(t *testing.T) {
	p := openPool(t, Options{Procs: 1, MaxMessage: 1 << 20})
	var many any = "x"
	for range 60 {
		many = []any{many, many}
	}
	_, err := Call(t.Context(), p, takeLinks, &link{Any: many})
	var in *InputError
	if !errors.As(err, &in) || !strings.Contains(err.Error(), "bytes that a message can have") {
		t.Error(err)
	}
	noneLost(t, []*Pool{p})
}
