package report

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"procpool/compare"
)

// use does all that can be done with a record that was read, which no record may make
// fail, panic, or take long.
func use(t *testing.T, raw []byte) (read bool) {
	rec, err := compare.Read(bytes.NewReader(raw))
	if err != nil {
		return false
	}
	began := time.Now()
	var again bytes.Buffer
	for what, write := range map[string]func(io.Writer, compare.Record) error{
		"HTML": HTML, "Gobench": Gobench, "JSON": compare.Write,
		"text": func(w io.Writer, rec compare.Record) error {
			return compare.Text(w, rec, compare.TextOptions{Verbose: true, ASCII: true, Width: 60})
		},
	} {
		var b bytes.Buffer
		if err := write(&b, rec); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if what == "JSON" {
			again = b
		}
	}
	if _, err := compare.Read(&again); err != nil {
		t.Fatalf("a record that was read, written again: %v", err)
	}
	if _, err := compare.Changes(rec, rec); err != nil && !strings.Contains(err.Error(), "no row in common") {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	return true
}

// A leaf is a place in a JSON value, and how to put something else there.
type leaf func(v any)

func leaves(v any) (out []leaf) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			out = append(out, func(x any) { v[key] = x })
			out = append(out, leaves(inner)...)
		}
	case []any:
		for i, inner := range v {
			out = append(out, func(x any) { v[i] = x })
			out = append(out, leaves(inner)...)
		}
	}
	return out
}

// hostile are values that somebody might put into a record.
func hostile(rng *rand.Rand, number float64, text string) any {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		number = 0
	}
	all := []any{number, -number, math.Floor(number), 0, 1, -1, 1e300, 1e-300, 2e8, 1 << 40, math.MaxInt64, 1e9, 0.95, text, "NaN", nil, []any{}, map[string]any{}, true}
	return all[rng.IntN(len(all))]
}

// edited is a record with some values replaced.
func edited(t testing.TB, raw []byte, seed uint64, edits int, number float64, text string) []byte {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	all := leaves(v)
	for range edits {
		all[rng.IntN(len(all))](hostile(rng, number, text))
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Skip(err)
	}
	return b
}

func small(t testing.TB) []byte {
	var b bytes.Buffer
	if err := compare.Write(&b, record(t, compare.Experiment{Tasks: subjects("a", "b"), MaxPairs: 3, Workers: []int{2}, Why: true}, &plainRunner{})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestThousandsOfHostileRecords(t *testing.T) {
	raw := small(t)
	read := 0
	const n = 1500
	for seed := range uint64(n) {
		if use(t, edited(t, raw, seed, 1+int(seed%3), float64(seed)-700, "<b>\x1b[2J")) {
			read++
		}
	}
	t.Logf("%d of %d were read, and used", read, n)
	if read < n/20 || read > n*19/20 {
		t.Errorf("%d of %d edited records can be read", read, n)
	}
}

// FuzzRecord edits a record as it likes, and reads whatever else it is given.
func FuzzRecord(f *testing.F) {
	raw := small(f)
	f.Add(uint64(1), uint8(1), 1e9, "x", []byte("{}"))
	f.Fuzz(func(t *testing.T, seed uint64, edits uint8, number float64, text string, other []byte) {
		use(t, edited(t, raw, seed, int(edits%8), number, text))
		use(t, other)
	})
}
