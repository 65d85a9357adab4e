package placement

import (
	"fmt"
	"strings"
	"testing"
)

// row returns the CPUs of all workers, "-" for a worker that is not bound.
func row(p Binding) string {
	var all []string
	for _, cpus := range p.CPUs {
		if cpus.Empty() {
			all = append(all, "-")
		} else {
			all = append(all, cpus.String())
		}
	}
	return strings.Join(all, " ")
}

// The machines of planCases.
var (
	laptop = machine(1, 1, 4, 1)
	smt    = machine(1, 1, 4, 2)   // cores (0,4) (1,5) (2,6) (3,7)
	server = machine(2, 1, 4, 1)   // 0-3, 4-7
	numa   = machine(2, 2, 4, 2)   // nodes 0-3 4-7 | 8-11 12-15, siblings +16
	huge   = machine(8, 1, 192, 1) // 1,536 CPUs
)

var planCases = []struct {
	name    string
	machine files
	mask    string
	bind    string
	workers int
	width   int
	want    string
	note    string // part of the only note; empty if there is none
}{
	{"none", laptop, "0-3", "none", 2, 0, "- -", ""},
	{"nothing asked", laptop, "0-3", "", 2, 0, "- -", ""},
	{"none may be too many", laptop, "0-3", "none", 5, 0, "- - - - -", ""},

	{"close", laptop, "0-3", "close", 2, 0, "0 1", ""},
	{"close, full", laptop, "0-3", "close", 4, 0, "0 1 2 3", ""},
	{"close wraps round", laptop, "0-3", "close", 6, 0, "0 1 2 3 0 1", "oversubscribed: 6 workers on 4 CPUs"},
	{"close, one CPU", laptop, "2", "close", 2, 0, "2 2", "oversubscribed: 2 workers on 1 CPU"},
	{"close, two sockets", server, "0-7", "close", 5, 0, "0 1 2 3 4", ""},
	{"close, a mask with holes", server, "1,3,6", "close", 3, 0, "1 3 6", ""},
	{"close takes cores before siblings", smt, "0-7", "close", 4, 0, "0 1 2 3", ""},
	{"close, then siblings", smt, "0-7", "close", 6, 0, "0 1 2 3 4 5", "SMT siblings are in use: 6 workers on 4 cores"},
	{"close, siblings of a partial mask", smt, "0-1,4,6", "close", 4, 0, "0 1 6 4", "SMT siblings are in use: 4 workers on 3 cores"},
	{"close, only siblings left", smt, "4-7", "close", 2, 0, "4 5", ""},
	{"close, two CPUs each", smt, "0-7", "close", 2, 2, "0-1 2-3", ""},
	{"close, two CPUs each, siblings", smt, "0-7", "close", 4, 2, "0-1 2-3 4-5 6-7", "SMT siblings are in use"},
	{"close, wider than the machine", laptop, "0-3", "close", 2, 3, "0-2 0-1,3", "oversubscribed: 2 workers of 3 CPUs each on 4 CPUs"},
	{"close, beyond 1,024 CPUs", huge, "1022-1535", "close", 3, 0, "1022 1023 1024", ""},

	{"spread, one worker", server, "0-7", "spread", 1, 0, "0", ""},
	{"spread, a worker a socket", server, "0-7", "spread", 2, 0, "0 4", ""},
	{"spread, an odd one", server, "0-7", "spread", 3, 0, "0 2 4", ""},
	{"spread, inside sockets", server, "0-7", "spread", 4, 0, "0 2 4 6", ""},
	{"spread, full", server, "0-7", "spread", 8, 0, "0 1 2 3 4 5 6 7", ""},
	{"spread, one socket", laptop, "0-3", "spread", 2, 0, "0 2", ""},
	{"spread over sockets, however small", server, "0-3,7", "spread", 2, 0, "0 7", ""},
	{"spread, a small socket is full soon", server, "0-3,7", "spread", 4, 0, "0 1 2 7", ""},
	{"spread over NUMA nodes", numa, "0-31", "spread", 4, 0, "0 4 8 12", ""},
	{"spread, sockets before nodes", numa, "0-31", "spread", 2, 0, "0 8", ""},
	{"spread, cores before siblings", numa, "0-31", "spread", 16, 0, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", ""},
	{"spread, siblings spread as well", numa, "0-31", "spread", 18, 0,
		"0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24", "SMT siblings are in use"},
	{"spread wraps round", server, "0-7", "spread", 10, 0, "0 1 2 3 4 5 6 7 0 4", "oversubscribed: 10 workers on 8 CPUs"},
	{"spread, two CPUs each", server, "0-7", "spread", 2, 2, "0,2 4,6", ""},
	{"spread, beyond 1,024 CPUs", huge, "0-1535", "spread", 8, 0, "0 192 384 576 768 960 1152 1344", ""},
	{"spread over far sockets", huge, "0-1535", "spread", 2, 0, "0 768", ""},

	{"list", laptop, "0-3", "0-1/2-3", 2, 0, "0-1 2-3", ""},
	{"list with a stride", laptop, "0-3", "0-3:2/1-3:2", 2, 0, "0,2 1,3", ""},
	{"list for all", laptop, "0-3", "0,2", 2, 0, "0,2 0,2", ""},
	{"list for all, crowded", laptop, "0-3", "0,2", 3, 0, "0,2 0,2 0,2", "oversubscribed: 3 workers on 2 CPUs"},
	{"list, the same CPU twice", laptop, "0-3", "1/1", 2, 0, "1 1", "oversubscribed: 2 workers on 1 CPU"},
	{"list, starts over", laptop, "0-3", "0/1-3", 3, 0, "0 1-3 0", "oversubscribed: 3 workers on a list of 2 parts, which starts over with worker 2"},
	{"list, too long", laptop, "0-3", "0/1/2", 2, 0, "0 1", "3 parts for 2 workers"},
	{"no worker", laptop, "0-3", "close", 0, 0, "", ""},
}

func TestPlan(t *testing.T) {
	for _, c := range planCases {
		s := c.machine.system(c.mask)
		p, err := NewBinding(BindingOptions{Bind: c.bind, Workers: c.workers, Width: c.width, Mask: set(c.mask), Topology: s.Topology()})
		if err != nil || row(p) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, row(p), err, c.want)
		}
		if notes := strings.Join(p.Notes, "; "); len(p.Notes) > 1 || (notes == "") != (c.note == "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s: notes %q, want %q", c.name, notes, c.note)
		}
	}
}

// On every machine and mask, workers get CPUs of the mask only, no CPU is used twice
// before all are used once, no sibling before every core is in use, and a note says
// if workers share CPUs.
func TestPlanRules(t *testing.T) {
	for _, shape := range [][4]int{{1, 1, 1, 1}, {1, 1, 3, 2}, {2, 1, 3, 2}, {2, 2, 2, 1}, {3, 1, 2, 4}, {4, 2, 1, 2}} {
		f := machine(shape[0], shape[1], shape[2], shape[3])
		topology := f.system("0").Topology()
		n := len(topology.CPUs)
		for _, mask := range []CPUSet{set(fmt.Sprintf("0-%d", n-1)), set(fmt.Sprintf("0-%d:3", n)).And(topology.all()), set(fmt.Sprintf("%d-%d", n/2, n-1))} {
			for _, bind := range []string{"close", "spread"} {
				for workers := range 2*n + 2 {
					name := fmt.Sprintf("machine %v, mask %v, %s, %d workers", shape, mask, bind, workers)
					p, err := NewBinding(BindingOptions{Bind: bind, Workers: workers, Mask: mask, Topology: topology})
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					checkRules(t, name, p, mask, topology)
				}
			}
		}
	}
}

func checkRules(t *testing.T, name string, p Binding, mask CPUSet, topology Topology) {
	t.Helper()
	coreOf := map[int]int{}
	for _, c := range topology.CPUs {
		coreOf[c.ID] = c.Core
	}
	cores := topology.Summary(mask).Cores
	var used CPUSet
	usedCores := map[int]bool{}
	for w, cpus := range p.CPUs {
		if cpus.Count() != 1 || !cpus.Minus(mask).Empty() {
			t.Fatalf("%s: worker %d has CPUs %v", name, w, cpus)
		}
		if w < mask.Count() && !used.And(cpus).Empty() {
			t.Fatalf("%s: worker %d repeats CPU %v", name, w, cpus)
		}
		used = used.Or(cpus)
		for c := range cpus.All() {
			usedCores[coreOf[c]] = true
		}
		if len(usedCores) != min(w+1, cores) {
			t.Fatalf("%s: %d cores in use by %d workers", name, len(usedCores), w+1)
		}
	}
	crowded := strings.Contains(strings.Join(p.Notes, ";"), "oversubscribed")
	if crowded != (len(p.CPUs) > mask.Count()) {
		t.Fatalf("%s: notes %q", name, p.Notes)
	}
}

func TestPlanErrors(t *testing.T) {
	for bind, want := range map[string]string{
		"closest":    `"closest" is neither none, close or spread nor a CPU list`,
		"Close":      "is neither none",
		"4":          "CPU 4 is outside the CPUs that this process may use, 0-2",
		"0-5":        "CPU 3-5 is outside",
		"0/1/3":      "CPU 3 is outside",
		"0//1":       "has nothing for worker 1",
		"0/":         "has nothing for worker 1",
		"/":          "has nothing for worker 0",
		"2-1":        "runs backwards",
		"0,":         `"" is not a CPU number`,
		"0-99999999": "beyond the largest possible",
	} {
		p, err := NewBinding(BindingOptions{Bind: bind, Workers: 2, Mask: set("0-2")})
		if err == nil || !strings.Contains(err.Error(), want) || p.CPUs != nil {
			t.Errorf("--bind %s: %v, error %v, want %q", bind, p, err, want)
		}
	}
	for _, bind := range []string{"close", "spread"} {
		if _, err := NewBinding(BindingOptions{Bind: bind, Workers: 2}); err == nil {
			t.Errorf("--bind %s with an empty mask: no error", bind)
		}
	}
}

// Without a topology, each CPU is a core.
func TestPlanWithoutTopology(t *testing.T) {
	p, err := NewBinding(BindingOptions{Bind: "spread", Workers: 2, Mask: set("2,4,6,8")})
	if err != nil || row(p) != "2 6" {
		t.Errorf("%s, %v", row(p), err)
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name    string
		machine files
		mask    string
		workers []string
		want    []string
	}{
		{"one socket", machine(1, 1, 2, 1), "0-1", []string{"0", "1"}, []string{
			"worker 0 bound to socket 0[core 0[hwt 0]]: [B/.] cpus 0",
			"worker 1 bound to socket 0[core 1[hwt 0]]: [./B] cpus 1",
		}},
		{"SMT on two sockets", machine(2, 1, 2, 2), "0-7", []string{"0", "6", "3,7", "0-1,4-5", "0,3"}, []string{
			"worker 0 bound to socket 0[core 0[hwt 0]]: [B./..][../..] cpus 0",
			"worker 1 bound to socket 1[core 2[hwt 1]]: [../..][.B/..] cpus 6",
			"worker 2 bound to socket 1[core 3[hwt 0-1]]: [../..][../BB] cpus 3,7",
			"worker 3 bound to socket 0[core 0[hwt 0-1]], socket 0[core 1[hwt 0-1]]: [BB/BB][../..] cpus 0-1,4-5",
			"worker 4 bound to socket 0[core 0[hwt 0]], socket 1[core 3[hwt 0]]: [B./..][../B.] cpus 0,3",
		}},
		{"not bound", machine(1, 1, 4, 1), "0,2", []string{"", "0,2"}, []string{
			"worker 0 is not bound (or bound to all available processors) cpus 0,2",
			"worker 1 is not bound (or bound to all available processors) cpus 0,2",
		}},
		{"a CPU that /sys hides", machine(1, 1, 1, 1), "0,9", []string{"9"}, []string{
			"worker 0 bound to socket 0[core 1[hwt 0]]: [./B] cpus 9",
		}},
	} {
		var workers []CPUSet
		for _, list := range c.workers {
			workers = append(workers, set(list))
		}
		got := Report(workers, set(c.mask), c.machine.system(c.mask).Topology())
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
