package ipc

import (
	"encoding/json"
	"testing"
)

// Add takes the larger peak, adds the other counts, and takes a count that only one
// process knows from that process.
func TestUsageAdds(t *testing.T) {
	sum := Usage{UserSeconds: 1, Counters: Counters{PeakRSSBytes: CountOf(10), MinorFaults: CountOf(1), MajorFaults: CountOf(2)}}
	sum.Add(Usage{UserSeconds: 2, SystemSeconds: 3, Counters: Counters{PeakRSSBytes: CountOf(7), MinorFaults: CountOf(4), Migrations: CountOf(0)}})
	want := Usage{UserSeconds: 3, SystemSeconds: 3, Counters: Counters{PeakRSSBytes: CountOf(10), MinorFaults: CountOf(5), MajorFaults: CountOf(2), Migrations: CountOf(0)}}
	if sum != want {
		t.Errorf("%+v, not %+v", sum, want)
	}
	sum.Add(Usage{Counters: Counters{PeakRSSBytes: CountOf(11)}})
	if sum.PeakRSSBytes != CountOf(11) {
		t.Errorf("the peak is %v", sum.PeakRSSBytes)
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		count      Count
		text, json string
	}{{Count{}, "-", "null"}, {CountOf(-1), "-", "null"}, {CountOf(0), "0", "0"}, {CountOf(12), "12", "12"}} {
		b, err := json.Marshal(c.count)
		if got := c.count.String(); got != c.text || err != nil || string(b) != c.json {
			t.Errorf("%+v prints as %s and %s, %v", c.count, got, b, err)
		}
	}
}
