package cli

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
)

// Whatever is accepted as an index is what arithmetic without bounds makes of
// it, and within the limits.
func FuzzParseIndex(f *testing.F) {
	for _, s := range []string{"0", "010", "1e8", "1_000", "+10", "1.50e1", "4611686018427387904", "4611686018427387905",
		"-1", "1.5", "", ".", "e", "1e", "1e+-5", "1__0", "_1", "1_", "0x10", "1e-1", "10e-1", "0e99", "1e99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseIndex(text)
		if err != nil {
			return
		}
		if v < 0 || v > ipc.MaxIndex {
			t.Fatalf("%q is %d", text, v)
		}
		if _, exponent, _ := strings.Cut(strings.ToLower(text), "e"); len(exponent) > 4 {
			return // too much for the other side
		}
		want, ok := new(big.Rat).SetString(strings.ReplaceAll(text, "_", ""))
		if !ok || want.Cmp(new(big.Rat).SetInt64(v)) != 0 {
			t.Errorf("%q is %d, not %v", text, v, want)
		}
	})
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "512M": 512 << 20, "1.5G": 3 << 29, "2k": 2048, "1KiB": 1024, "1MB": 1 << 20, "1T": 1 << 40, "100B": 100,
		"": -1, "M": -1, "0": -1, "-1": -1, "much": -1, "1P": -1, "NaN": -1, "Inf": -1, "1e40": -1, "iB": -1,
	} {
		if v, err := parseSize(text); (err != nil) != (want < 0) || err == nil && v != want {
			t.Errorf("%q is %d, %v", text, v, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond, "2": 2 * time.Second, "0.25": 250 * time.Millisecond,
		"": -1, "0": -1, "-1s": -1, "soon": -1, "1e300": -1, "NaN": -1, "1 s": -1,
	} {
		if v, err := parseDuration(text); (err != nil) != (want < 0) || err == nil && v != want {
			t.Errorf("%q is %v, %v", text, v, err)
		}
	}
}
