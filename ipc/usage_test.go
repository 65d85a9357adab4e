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

// A count reads back as it was written, and one that is not there is unknown.
func TestCountersReadBack(t *testing.T) {
	want := Counters{MinorFaults: CountOf(0), Migrations: CountOf(1 << 60)}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(b), `{"minor_faults": 0, "migrations": 1152921504606846976}`} {
		got := Counters{}
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s reads as %+v, %v", text, got, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"migrations": "many"}`), new(Counters)); err == nil {
		t.Error("a word is no count")
	}
}
