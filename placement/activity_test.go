package placement

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// stat is the line of a thread that last ran on cpu; its name is made to confuse.
func stat(cpu int) string {
	return fmt.Sprintf("42 (a) R 1 (b c) S %s%d 0 0 0", strings.Repeat("7 ", 35), cpu)
}

// process is /proc/42 with two threads.
func process() files {
	return files{
		"/proc/42/status":         "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t1-3,9\n",
		"/proc/42/task/42/status": "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t70",
		"/proc/42/task/42/stat":   stat(9),
		"/proc/42/task/42/sched":  "x (42, #threads: 2)\n---\nse.nr_migrations_cold  :  99\nse.nr_migrations      :      3\nnr_switches : 75",
		"/proc/42/task/43/status": "voluntary_ctxt_switches:\t6\nnonvoluntary_ctxt_switches:\t0",
		"/proc/42/task/43/stat":   stat(2),
		"/proc/42/task/43/sched":  "se.nr_migrations      :      1",
	}
}

// figures prints an Activity as JSON.
func figures(a Activity) string {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestActivity(t *testing.T) {
	noSched := process()
	delete(noSched, "/proc/42/task/42/sched")
	delete(noSched, "/proc/42/task/43/sched")
	half := process()
	for name := range half {
		if strings.HasPrefix(name, "/proc/42/task/43") {
			delete(half, name)
		}
	}
	half["/proc/42/task/43/comm"] = "a thread that ends while it is read"
	for _, c := range []struct {
		name  string
		files files
		want  string
	}{
		{"all there is", process(), `{"allowed":"1-3,9","last_cpus":"2,9","migrations":4,"voluntary_switches":11,"involuntary_switches":70}`},
		{"a kernel without sched", noSched, `{"allowed":"1-3,9","last_cpus":"2,9","migrations":null,"voluntary_switches":11,"involuntary_switches":70}`},
		{"a thread ends", half, `{"allowed":"1-3,9","last_cpus":"9","migrations":3,"voluntary_switches":5,"involuntary_switches":70}`},
		{"garbage", files{
			"/proc/42/status":         "Cpus_allowed_list:\tall",
			"/proc/42/task/42/stat":   "42 (x) R 1",
			"/proc/42/task/42/status": "voluntary_ctxt_switches:\tmany",
		}, `{"allowed":null,"last_cpus":null,"migrations":null,"voluntary_switches":null,"involuntary_switches":null}`},
		{"an ended process", files{}, `{"allowed":null,"last_cpus":null,"migrations":null,"voluntary_switches":null,"involuntary_switches":null}`},
	} {
		if got := figures(c.files.system("0-9").Activity(42)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}
