package ipc

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"testing"

	"procpool/internal/samples"
)

// seedEnv repeats a run of the tests with random types.
const seedEnv = "PROCPOOL_TEST_SEED"

func seed(t *testing.T) uint64 {
	seed := uint64(14)
	if s := os.Getenv(seedEnv); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("%s=%d", seedEnv, seed)
	return seed
}

// A value of any type arrives as it was sent, or it is refused: its type by CheckType,
// or itself by a ValueError, which CheckValue gives too. What is refused is known to
// package samples by rules of its own.
func TestWhatArrivesIsWhatWasSent(t *testing.T) {
	s := samples.New(seed(t))
	var types, hopeless, values, refused int
	for range 6000 {
		typ := s.Type(4)
		err := CheckType(typ)
		if want := samples.Hopeless(typ); (err != nil) != want {
			t.Fatalf("%v: %v, want an error: %v", typ, err, want)
		}
		types++
		var of *TypeError
		if err != nil {
			if hopeless++; !errors.As(err, &of) || of.Type != typ {
				t.Fatalf("%v: the error is %#v", typ, err)
			}
		}
		for range 4 {
			v := s.Value(typ)
			gone, text := arrives(v, err == nil)
			if text != "" {
				t.Fatalf("%v %+v: %s", typ, v, text)
			}
			if values++; gone {
				refused++
			}
		}
	}
	t.Logf("%d types, %d of them hopeless; %d values, %d of them refused", types, hopeless, values, refused)
}

// arrives sends v and says what is wrong, and whether v was refused.
func arrives(v reflect.Value, possible bool) (refused bool, text string) {
	b, err := encodeValue([]byte("ab"), v, MaxLimit)
	if !possible {
		decodeInto(b, reflect.New(v.Type()).Interface()) // must not panic
		return err != nil, ""
	}
	if dry := check(v); (dry == nil) != (err == nil) { // of several reasons either may be the first in a map
		return false, "AppendValue says " + show(err) + ", CheckValue " + show(dry)
	}
	if want := samples.Refused(v); want != (err != nil) {
		return false, "refused should be " + strconv.FormatBool(want) + ": " + show(err)
	}
	if err != nil {
		var of *ValueError
		if !errors.As(err, &of) || of.Type != v.Type() || string(b) != "ab" {
			return true, "the error is of another kind, or dst has changed"
		}
		return true, ""
	}
	if !delimited(b[2:]) && len(b) < DefaultLimit {
		return false, "it is encoded as something else than one value"
	}
	got := reflect.New(v.Type())
	if err := decodeInto(b[2:], got.Interface()); err != nil {
		return false, err.Error()
	}
	if !samples.Same(v, got.Elem()) {
		return false, "it arrives as " + show(got.Elem())
	}
	return false, ""
}

func show(v any) string { return fmt.Sprintf("%+v", v) }
