package placement

import (
	"encoding/json"
	"testing"
)

func TestMemory(t *testing.T) {
	const v1 = "/sys/fs/cgroup/memory"
	for _, c := range []struct {
		name  string
		files files
		want  string
	}{
		{"v2, limits on two levels", files{
			"/proc/self/cgroup":             "0::/a/b",
			"/proc/self/mountinfo":          mountinfo(mountV2),
			"/proc/self/limits":             "Limit                     Soft Limit           Hard Limit           Units\nMax address space         629145600            unlimited            bytes",
			"/proc/meminfo":                 "MemTotal:       16000000 kB\nMemFree:          200000 kB\nMemAvailable:    8000000 kB",
			"/sys/fs/cgroup/a/b/memory.max": "max",
			"/sys/fs/cgroup/a/memory.max":   "2147483648",
			"/sys/fs/cgroup/memory.max":     "4294967296",
		}, `{"total_bytes":16384000000,"available_bytes":8192000000,"address_space_bytes":629145600,` +
			`"limits":[{"path":"/sys/fs/cgroup/a/memory.max","bytes":2147483648},{"path":"/sys/fs/cgroup/memory.max","bytes":4294967296}]}`},
		{"v1, no limit is a large number", files{
			"/proc/self/cgroup":             "5:memory:/m",
			"/proc/self/mountinfo":          mountinfo(mountV1Mem),
			"/proc/self/limits":             "Max address space         unlimited            unlimited            bytes",
			v1 + "/m/memory.limit_in_bytes": "1048576",
			v1 + "/memory.limit_in_bytes":   "9223372036854771712",
		}, `{"total_bytes":null,"available_bytes":null,"address_space_bytes":null,"limits":[{"path":"/sys/fs/cgroup/memory/m/memory.limit_in_bytes","bytes":1048576}]}`},
		{"nothing known", files{}, `{"total_bytes":null,"available_bytes":null,"address_space_bytes":null,"limits":[]}`},
	} {
		got, err := json.Marshal(c.files.system("0").Memory())
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

func TestOOMKills(t *testing.T) {
	for _, c := range []struct {
		name  string
		files files
		want  int64 // -1: unavailable
	}{
		{"v2", files{
			"/proc/self/cgroup":              "0::/a",
			"/proc/self/mountinfo":           mountinfo(mountV2),
			"/sys/fs/cgroup/a/memory.events": "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 1",
			"/sys/fs/cgroup/memory.events":   "oom_kill 8",
		}, 3},
		{"v1", files{
			"/proc/self/cgroup":                          "5:memory:/m",
			"/proc/self/mountinfo":                       mountinfo(mountV1Mem),
			"/sys/fs/cgroup/memory/m/memory.oom_control": "oom_kill_disable 1\nunder_oom 0\noom_kill 2",
		}, 2},
		{"hybrid, with a v2 that knows nothing of memory", files{
			"/proc/self/cgroup":                          "5:memory:/m\n0::/",
			"/proc/self/mountinfo":                       mountinfo(mountV1Mem, mountV2),
			"/sys/fs/cgroup/memory/m/memory.oom_control": "oom_kill 0",
		}, 0},
		{"a v1 kernel that does not count", files{
			"/proc/self/cgroup":                          "5:memory:/m",
			"/proc/self/mountinfo":                       mountinfo(mountV1Mem),
			"/sys/fs/cgroup/memory/m/memory.oom_control": "oom_kill_disable 0\nunder_oom 0",
		}, -1},
		{"no cgroups", files{}, -1},
	} {
		got := int64(-1)
		if n := c.files.system("0").OOMKills(); n != nil {
			got = *n
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
