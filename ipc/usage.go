package ipc

import "strconv"

// Usage is what a process has used, as the operating system counts it.
type Usage struct {
	UserSeconds   float64 `json:"user_seconds"`
	SystemSeconds float64 `json:"system_seconds"`
	Counters
}

// Counters are the whole numbers of a [Usage].
type Counters = CountersOf[Count]

// CountersOf has a T for each counter of a process: the [Count] itself, or what
// was computed from many of them.
type CountersOf[T any] struct {
	PeakRSSBytes        T `json:"peak_rss_bytes"` // the most that was resident at once, of this process alone
	MinorFaults         T `json:"minor_faults"`
	MajorFaults         T `json:"major_faults"`
	VoluntarySwitches   T `json:"voluntary_switches"`
	InvoluntarySwitches T `json:"involuntary_switches"`
	Migrations          T `json:"migrations"` // of its threads between CPUs
}

// A NamedCount is one of the counters, with its name on the wire and in JSON.
type NamedCount[T any] struct {
	Name  string
	Count *T
}

// All lists the counters in the order of the wire. The pointers lead into c.
func (c *CountersOf[T]) All() [6]NamedCount[T] {
	return [...]NamedCount[T]{
		{"peak_rss_bytes", &c.PeakRSSBytes}, {"minor_faults", &c.MinorFaults}, {"major_faults", &c.MajorFaults},
		{"voluntary_switches", &c.VoluntarySwitches}, {"involuntary_switches", &c.InvoluntarySwitches}, {"migrations", &c.Migrations},
	}
}

// Add adds v, the usage of another process, to u. The peak becomes the larger of the
// two. A count that is unknown in one of them is that of the other.
func (u *Usage) Add(v Usage) {
	u.UserSeconds += v.UserSeconds
	u.SystemSeconds += v.SystemSeconds
	peak := u.PeakRSSBytes
	if !peak.known || v.PeakRSSBytes.known && v.PeakRSSBytes.n > peak.n {
		peak = v.PeakRSSBytes
	}
	mine, others := u.All(), v.All()
	for i, m := range mine {
		if o := *others[i].Count; o.known {
			m.Count.n, m.Count.known = m.Count.n+o.n, true
		}
	}
	u.PeakRSSBytes = peak
}

// A Count is a whole number that may be unknown. The zero value is unknown, which is
// null in JSON. It differs from a count of 0.
type Count struct {
	n     int64
	known bool
}

// CountOf returns the count n, or an unknown count if n is negative.
func CountOf(n int64) Count {
	if n < 0 {
		return Count{}
	}
	return Count{n, true}
}

// Get returns the count and whether it is known.
func (c Count) Get() (n int64, known bool) { return c.n, c.known }

// String returns the count in decimal, or "-" if it is unknown.
func (c Count) String() string {
	if !c.known {
		return "-"
	}
	return strconv.FormatInt(c.n, 10)
}

// MarshalJSON implements json.Marshaler.
func (c Count) MarshalJSON() ([]byte, error) {
	if !c.known {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, c.n, 10), nil
}

// UnmarshalJSON implements json.Unmarshaler. A count that is absent, null or
// negative is unknown.
func (c *Count) UnmarshalJSON(b []byte) error {
	*c = Count{}
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err == nil {
		*c = CountOf(n)
	}
	return err
}
