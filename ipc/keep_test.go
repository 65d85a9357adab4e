package ipc

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// requests returns a stream of requests whose args are bin of the given lengths, and
// these args.
func requests(lengths []int) (stream []byte, args [][]byte) {
	for i, n := range lengths {
		b := bytes.Repeat([]byte{byte(i)}, n)
		arg, _ := AppendValue(nil, &b)
		stream = append(AppendRequestHead(stream, uint64(i), "t"), arg...)
		args = append(args, arg)
	}
	return stream, args
}

func TestKeptPartsStayValid(t *testing.T) {
	lengths := []int{10, 300 << 10, 5, 70 << 10, 70 << 10, 3 << 20, 1, 100 << 10, 2 << 20}
	stream, args := requests(lengths)
	for seed := range uint64(20) {
		r := NewReader(&oddReader{bytes.NewReader(stream), rand.New(rand.NewPCG(seed, 1)), 200000}, MaxLimit)
		var kept [][]byte
		for i := range lengths {
			m, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			q, err := ParseRequest(m.Body)
			if err != nil || q.ID != uint64(i) {
				t.Fatalf("request %d: %v, %v", i, q.ID, err)
			}
			kept = append(kept, r.Keep(q.Arg))
		}
		for i := range kept {
			if !bytes.Equal(kept[i], args[i]) {
				t.Fatalf("seed %d: the arg of request %d has changed", seed, i)
			}
		}
	}
}

// A long message with its length in a header takes a buffer of that length, and half
// as much for the smaller buffers before. Keeping it takes nothing.
func TestMemoryOfALongMessage(t *testing.T) {
	const n = 64 << 20
	stream, _ := requests([]int{n})
	var arg []byte
	cost := allocated(func() {
		r := NewReader(bytes.NewReader(stream), MaxLimit)
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParseRequest(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		var b []byte
		arg = r.Keep(q.Arg)
		if err := TakeValue(arg, &b); err != nil || len(b) != n {
			t.Fatal(len(b), err)
		}
	})
	if cost > n*8/5 {
		t.Errorf("%d bytes allocated for a message of %d", cost, n)
	}
}

func TestTakeValueDoesNotCopy(t *testing.T) {
	b := []byte("abc")
	value, _ := AppendValue(nil, &b)
	var taken, copied []byte
	if err := DecodeValue(value, &copied); err != nil {
		t.Fatal(err)
	}
	if err := TakeValue(value, &taken); err != nil {
		t.Fatal(err)
	}
	value[len(value)-1] = 'x'
	if string(copied) != "abc" || string(taken) != "abx" {
		t.Errorf("copied %q, taken %q", copied, taken)
	}
	if got := append(taken, 'y'); cap(taken) != len(taken) || &got[0] == &taken[0] {
		t.Error("an append to a taken value overwrites what follows it")
	}
}
