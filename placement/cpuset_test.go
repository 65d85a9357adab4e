package placement

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestParseCPUSet(t *testing.T) {
	for _, c := range []struct {
		list, canonical string
		count           int
	}{
		{"", "", 0},
		{"\n", "", 0},
		{"0", "0", 1},
		{"0-3,8", "0-3,8", 5},
		{"8,0-3", "0-3,8", 5},
		{"0,1,2,3", "0-3", 4},
		{"0-1,2-3", "0-3", 4},
		{"0-5,3-8", "0-8", 9},
		{"5,5,5", "5", 1},
		{"0-10:2", "0,2,4,6,8,10", 6},
		{"1-10:3", "1,4,7,10", 4},
		{"0-1:3", "0", 1},
		{"1-2:9223372036854775807", "1", 1},
		{"4-4", "4", 1},
		{"010", "10", 1},
		{" 0-1\n", "0-1", 2},
		{"63-64,127-128", "63-64,127-128", 4},
		{"1000-2047,4096", "1000-2047,4096", 1049},
		{"0-65535", "0-65535", MaxCPUs},
	} {
		s, err := ParseCPUSet(c.list)
		if err != nil {
			t.Errorf("%q: %v", c.list, err)
			continue
		}
		if s.String() != c.canonical || s.Count() != c.count || s.Empty() != (c.count == 0) {
			t.Errorf("%q is %q with %d CPUs, want %q with %d", c.list, s, s.Count(), c.canonical, c.count)
		}
	}
}

// taskset refuses each of these too.
func TestParseCPUSetErrors(t *testing.T) {
	for list, want := range map[string]string{
		"x":                       `"x" is not a CPU number`,
		"0,":                      `"" is not a CPU number`,
		",0":                      `"" is not a CPU number`,
		"0-":                      `"" is not a CPU number`,
		"-1":                      `"" is not a CPU number`,
		"0-1-2":                   `"1-2" is not a CPU number`,
		"0x1":                     `"0x1" is not a CPU number`,
		"+1":                      `"+1" is not a CPU number`,
		"3-1":                     "range 3-1 runs backwards",
		"4:2":                     "has a stride but no range",
		"0-3:0":                   "is not a number above 0",
		"0-3:":                    "is not a number above 0",
		"65536":                   "beyond the largest possible, 65535",
		"0-999999999":             "beyond the largest possible",
		"99999999999999999999999": "is not a CPU number",
	} {
		_, err := ParseCPUSet(list)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), list) {
			t.Errorf("%q: error %v, want one with %q", list, err, want)
		}
	}
}

// The operations agree with those on maps.
func TestCPUSetOperations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func() (CPUSet, map[int]bool) {
		plain := map[int]bool{}
		var s []int
		for range rng.IntN(40) {
			c := rng.IntN(1 << rng.IntN(12))
			plain[c] = true
			s = append(s, c)
		}
		return NewCPUSet(s...), plain
	}
	check := func(what string, got CPUSet, want func(cpu int) bool) {
		t.Helper()
		var cpus []int
		for c := range 4096 {
			if want(c) {
				cpus = append(cpus, c)
			}
			if got.Contains(c) != want(c) {
				t.Fatalf("%s: CPU %d is wrong in %v", what, c, got)
			}
		}
		if !slices.Equal(slices.Collect(got.All()), cpus) || got.Count() != len(cpus) {
			t.Fatalf("%s: %v, want %v", what, got, cpus)
		}
		again, err := ParseCPUSet(got.String())
		if err != nil || !again.Equal(got) || !got.Equal(NewCPUSet(cpus...)) {
			t.Fatalf("%s: %v reads back as %v, %v", what, got, again, err)
		}
	}
	for range 200 {
		a, inA := draw()
		b, inB := draw()
		check("and", a.And(b), func(c int) bool { return inA[c] && inB[c] })
		check("or", a.Or(b), func(c int) bool { return inA[c] || inB[c] })
		check("minus", a.Minus(b), func(c int) bool { return inA[c] && !inB[c] })
		check("operand", a, func(c int) bool { return inA[c] })
	}
	if s := NewCPUSet(1); s.Contains(-1) || s.Contains(1<<30) {
		t.Error("an impossible CPU is contained")
	}
}

func TestCPUSetJSON(t *testing.T) {
	type row struct{ CPUs CPUSet }
	text, err := json.Marshal(row{NewCPUSet(8, 0, 1)})
	if err != nil || string(text) != `{"CPUs":"0-1,8"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back row
	if err := json.Unmarshal(text, &back); err != nil || !back.CPUs.Equal(NewCPUSet(0, 1, 8)) {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"CPUs":"a"}`), &back); err == nil {
		t.Error("no error for a bad list")
	}
}

func FuzzParseCPUSet(f *testing.F) {
	for _, list := range []string{"", "0-3,8", "0-10:2", "9-1", "0-65535", "1,,2"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		s, err := ParseCPUSet(list)
		if err != nil {
			return
		}
		again, err := ParseCPUSet(s.String())
		if err != nil || !again.Equal(s) {
			t.Errorf("%q is %v and reads back as %v, %v", list, s, again, err)
		}
	})
}
