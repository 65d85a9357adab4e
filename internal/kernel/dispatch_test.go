package kernel

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []implementation{{name: "avx2"}, {name: "generic"}}
	for _, c := range []struct {
		all                     []implementation
		want, name, description string
	}{
		{all, "", "avx2", "avx2"},
		{all, "generic", "generic", "generic"},
		{all, "avx2", "avx2", "avx2"},
		{all, "neon", "avx2", `avx2 (PROCPOOL_KERNEL="neon" is not available here)`},
		{all[1:], "avx2", "generic", `generic (PROCPOOL_KERNEL="avx2" is not available here)`},
	} {
		if s := choose(c.all, c.want); s.use.name != c.name || s.description != c.description {
			t.Errorf("choose(%d implementations, %q) = %s, %q", len(c.all), c.want, s.use.name, s.description)
		}
	}
	if !strings.HasPrefix(Path(), current().use.name) {
		t.Errorf("Path() = %q, but %s runs", Path(), current().use.name)
	}
}

// TestFeatures compares the features that this package finds with those that Linux
// reports. It needs Linux and a build with assembly.
func TestFeatures(t *testing.T) {
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" || purego {
		t.Skip("no assembly here, or no /proc/cpuinfo to compare with")
	}
	flags := strings.Fields(string(cpuinfo))
	want := slices.Contains(flags, "avx2") && slices.Contains(flags, "fma")
	if got := implementations()[0].name == "avx2"; got != want {
		t.Errorf("avx2 available: %v, but /proc/cpuinfo says %v", got, want)
	}
}
