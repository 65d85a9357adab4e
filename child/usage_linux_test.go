package child

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"procpool/ipc"
)

func TestAllowedCPUs(t *testing.T) {
	if _, err := exec.LookPath("taskset"); err != nil {
		t.Skip(err)
	}
	first, _, _ := strings.Cut(allowedCPUs(), ",")
	first, _, _ = strings.Cut(first, "-")
	if first == "" {
		t.Fatal("no CPU is allowed")
	}
	p := start(t, nil, "taskset", "-c", first, "--", Arg)
	if h := p.hello(); h.CPUs != first {
		t.Errorf("under taskset -c %s: %q", first, h.CPUs)
	}
}

func TestUsageIsPlausible(t *testing.T) {
	const filled = 64 << 20
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "spin", int64(200_000_000)), call(2, "fill", filled), endMessage)
	p.wants("result 1", "result 2")
	m, err := p.r.Next()
	if err != nil || m.Kind != ipc.KindBye {
		t.Fatal(m.Kind, err)
	}
	b, err := ipc.ParseBye(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.out); err != nil {
		t.Error(err)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	used := p.cmd.ProcessState
	t.Logf("%+v; the system says %v user, %v system", b, used.UserTime(), used.SystemTime())
	if b.UserSeconds < 0.01 || b.UserSeconds > used.UserTime().Seconds()+0.01 || b.SystemSeconds < 0 || b.SystemSeconds > used.SystemTime().Seconds()+0.01 {
		t.Error("CPU time differs")
	}
	rss := used.SysUsage().(*syscall.Rusage).Maxrss << 10
	if peak, _ := b.PeakRSSBytes.Get(); peak < filled || peak > rss+filled {
		t.Errorf("a resident set of %d, at the end %d", peak, rss)
	}
	minor, _ := b.MinorFaults.Get()
	_, major := b.MajorFaults.Get()
	waited, _ := b.VoluntarySwitches.Get()
	if _, displaced := b.InvoluntarySwitches.Get(); minor < 100 || !major || waited < 1 || !displaced {
		t.Error("a count is missing or too small")
	}
}
