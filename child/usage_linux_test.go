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

func TestListCPUs(t *testing.T) {
	mask := func(cpus ...int) []uint64 {
		m := make([]uint64, 32)
		for _, c := range cpus {
			m[c/64] |= 1 << (c % 64)
		}
		return m
	}
	for want, m := range map[string][]uint64{
		"": nil, "0": mask(0), "0,1": mask(0, 1), "0-2": mask(0, 1, 2), "1,3,5": mask(1, 3, 5), "62-65": mask(62, 63, 64, 65),
		"0-2,7,2046,2047": mask(0, 1, 2, 7, 2046, 2047),
	} {
		if got := listCPUs(m); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAccountIsPlausible(t *testing.T) {
	const filled = 64 << 20
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "spin", int64(200_000_000)), call(2, "fill", filled), sayEnd)
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
		t.Error("a figure cannot be")
	}
}
