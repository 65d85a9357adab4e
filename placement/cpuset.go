package placement

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// MaxCPUs limits the CPU numbers of a CPUSet to 0 to MaxCPUs-1. It is eight times
// what Linux supports (NR_CPUS is at most 8,192), and keeps a mistyped list from
// filling the memory.
const MaxCPUs = 1 << 16

// A CPUSet is a set of CPU numbers. It is immutable, so copies are safe to use from
// several goroutines. The zero value is the empty set. Compare sets with
// [CPUSet.Equal].
type CPUSet struct {
	// CPU c is bit c%W of words[c/W], where W is the size of a word in bits. Masks of
	// the kernel (unsigned long) have the same layout. The last word is never 0.
	words []uint
}

// NewCPUSet returns the set of the given CPUs. It panics if a number is outside
// [0, MaxCPUs). Use [ParseCPUSet] for what a user typed.
func NewCPUSet(cpus ...int) CPUSet {
	var s CPUSet
	for _, c := range cpus {
		if c < 0 || c >= MaxCPUs {
			panic(fmt.Sprintf("placement: CPU %d is not in [0, %d)", c, MaxCPUs))
		}
		s.add(c)
	}
	return s
}

// add adds a CPU to a set that is still being built.
func (s *CPUSet) add(cpu int) {
	for len(s.words) <= cpu/bits.UintSize {
		s.words = append(s.words, 0)
	}
	s.words[cpu/bits.UintSize] |= 1 << (cpu % bits.UintSize)
}

// trimmed returns the set with the given words, which it takes over.
func trimmed(words []uint) CPUSet {
	for len(words) > 0 && words[len(words)-1] == 0 {
		words = words[:len(words)-1]
	}
	return CPUSet{words}
}

// ParseCPUSet reads a list of CPUs as taskset -c accepts it and the kernel prints
// it: numbers and ranges separated by commas, a range with an optional stride, as
// in 0-3,8 or 0-10:2. Space around the list is ignored. An empty list is the empty
// set. The error quotes the part that is wrong.
func ParseCPUSet(list string) (CPUSet, error) {
	var s CPUSet
	list = strings.TrimSpace(list)
	if list == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, step, err := parseRange(part)
		if err != nil {
			return CPUSet{}, fmt.Errorf("CPU list %q: %w", list, err)
		}
		for c := first; c <= last; c += step {
			s.add(c)
		}
	}
	return s, nil
}

// parseRange reads N, N-M or N-M:STEP.
func parseRange(part string) (first, last, step int, err error) {
	span, stride, hasStride := strings.Cut(part, ":")
	from, to, isRange := strings.Cut(span, "-")
	if first, err = parseCPU(from); err != nil {
		return 0, 0, 0, err
	}
	last, step = first, 1
	if isRange {
		if last, err = parseCPU(to); err != nil {
			return 0, 0, 0, err
		}
	}
	if last < first {
		return 0, 0, 0, fmt.Errorf("range %s runs backwards", span)
	}
	if hasStride {
		if !isRange {
			return 0, 0, 0, fmt.Errorf("%q has a stride but no range", part)
		}
		if step, err = strconv.Atoi(stride); err != nil || step < 1 {
			return 0, 0, 0, fmt.Errorf("the stride of %q is not a number above 0", part)
		}
		// A step longer than the range selects the first CPU only. The bound avoids an
		// overflow.
		step = min(step, MaxCPUs)
	}
	return first, last, step, nil
}

func parseCPU(text string) (int, error) {
	cpu, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is not a CPU number", text)
	}
	if cpu >= MaxCPUs {
		return 0, fmt.Errorf("CPU %s is beyond the largest possible, %d", text, MaxCPUs-1)
	}
	return int(cpu), nil
}

// String returns the set as the kernel prints it: ascending, with ranges and
// without strides, as in 0-3,8. The empty set is the empty string.
func (s CPUSet) String() string {
	var b strings.Builder
	first, last := -1, -2 // current range; none yet
	flush := func() {
		if first < 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(first))
		if last > first {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(last))
		}
	}
	for c := range s.All() {
		if c != last+1 {
			flush()
			first = c
		}
		last = c
	}
	flush()
	return b.String()
}

// MarshalText returns String, so a set in JSON is a string such as "0-3,8".
func (s CPUSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseCPUSet reads.
func (s *CPUSet) UnmarshalText(text []byte) (err error) {
	*s, err = ParseCPUSet(string(text))
	return err
}

// All yields the CPUs in ascending order.
func (s CPUSet) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s.words {
			for ; w != 0; w &= w - 1 {
				if !yield(i*bits.UintSize + bits.TrailingZeros(w)) {
					return
				}
			}
		}
	}
}

// Count returns the number of CPUs in s.
func (s CPUSet) Count() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount(w)
	}
	return n
}

// Empty reports whether s contains no CPU.
func (s CPUSet) Empty() bool { return len(s.words) == 0 }

// Contains reports whether cpu is in s.
func (s CPUSet) Contains(cpu int) bool {
	i := cpu / bits.UintSize
	return cpu >= 0 && i < len(s.words) && s.words[i]>>(cpu%bits.UintSize)&1 == 1
}

// Equal reports whether s and t contain the same CPUs.
func (s CPUSet) Equal(t CPUSet) bool { return slices.Equal(s.words, t.words) }

// And returns the CPUs that are in both s and t.
func (s CPUSet) And(t CPUSet) CPUSet {
	words := slices.Clone(s.words[:min(len(s.words), len(t.words))])
	for i := range words {
		words[i] &= t.words[i]
	}
	return trimmed(words)
}

// Or returns the CPUs that are in s, in t or in both.
func (s CPUSet) Or(t CPUSet) CPUSet {
	if len(s.words) < len(t.words) {
		s, t = t, s
	}
	words := slices.Clone(s.words)
	for i, w := range t.words {
		words[i] |= w
	}
	return CPUSet{words}
}

// Minus returns the CPUs that are in s but not in t.
func (s CPUSet) Minus(t CPUSet) CPUSet {
	words := slices.Clone(s.words)
	for i, w := range t.words[:min(len(s.words), len(t.words))] {
		words[i] &^= w
	}
	return trimmed(words)
}
