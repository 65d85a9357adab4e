package placement

import (
	"fmt"
	"strings"
	"testing"
)

// mountinfo returns a /proc/self/mountinfo with these lines among others.
func mountinfo(lines ...string) string {
	all := append([]string{"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"}, lines...)
	return strings.Join(append(all, "99 22 0:50 / /proc rw - proc proc rw", "short line"), "\n")
}

const (
	mountV2    = "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
	mountV1CPU = "31 22 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 master:3 - cgroup cgroup rw,cpu,cpuacct"
	mountV1Mem = "32 22 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
)

var quotaCases = []struct {
	name  string
	files files
	want  []string // path and CPUs of each quota, nearest first
}{
	{"v2, in the own cgroup", files{
		"/proc/self/cgroup":          "0::/app",
		"/proc/self/mountinfo":       mountinfo(mountV2),
		"/sys/fs/cgroup/app/cpu.max": "150000 100000",
	}, []string{"/sys/fs/cgroup/app/cpu.max 1.5"}},
	{"v2, only in an ancestor", files{
		"/proc/self/cgroup":                   "0::/kube/pod/app",
		"/proc/self/mountinfo":                mountinfo(mountV2),
		"/sys/fs/cgroup/kube/pod/app/cpu.max": "max 100000",
		"/sys/fs/cgroup/kube/pod/cpu.max":     "max 100000",
		"/sys/fs/cgroup/kube/cpu.max":         "200000 100000",
	}, []string{"/sys/fs/cgroup/kube/cpu.max 2"}},
	{"v2, on several levels", files{
		"/proc/self/cgroup":          "0::/a/b",
		"/proc/self/mountinfo":       mountinfo(mountV2),
		"/sys/fs/cgroup/a/b/cpu.max": "400000 100000",
		"/sys/fs/cgroup/a/cpu.max":   "50000 20000",
	}, []string{"/sys/fs/cgroup/a/b/cpu.max 4", "/sys/fs/cgroup/a/cpu.max 2.5"}},
	{"v2, in a cgroup namespace the container is the root", files{
		"/proc/self/cgroup":      "0::/",
		"/proc/self/mountinfo":   mountinfo(mountV2),
		"/sys/fs/cgroup/cpu.max": "300000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 3"}},
	{"v2, the subtree of the container mounted from the host", files{
		"/proc/self/cgroup":            "0::/docker/abc/inner",
		"/proc/self/mountinfo":         mountinfo("30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/inner/cpu.max": "max 100000",
		"/sys/fs/cgroup/cpu.max":       "100000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 1"}},
	{"v2, mounted from outside the namespace, only the limits of the root are known", files{
		"/proc/self/cgroup":      "0::/",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "600000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 6"}},
	{"v2, moved to a sibling of the namespace, below such a mount", files{
		"/proc/self/cgroup":      "0::/../other",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "600000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 6"}},
	{"v2, moved out of the namespace, nothing mounted is an ancestor", files{
		"/proc/self/cgroup":      "0::/../other",
		"/proc/self/mountinfo":   mountinfo(mountV2),
		"/sys/fs/cgroup/cpu.max": "100000 100000",
		"/sys/fs/other/cpu.max":  "100000 100000",
	}, nil},
	{"v2, a mount of another subtree with a common prefix", files{
		"/proc/self/cgroup":      "0::/docker/abcdef",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "100000 100000",
	}, nil},
	{"v2, two mounts, and the one with more ancestors counts", files{
		"/proc/self/cgroup":          "0::/a/b",
		"/proc/self/mountinfo":       mountinfo(mountV2, "40 22 0:26 /a/b /mnt/own rw - cgroup2 cgroup2 rw"),
		"/mnt/own/cpu.max":           "max 100000",
		"/sys/fs/cgroup/a/b/cpu.max": "max 100000",
		"/sys/fs/cgroup/a/cpu.max":   "100000 100000",
	}, []string{"/sys/fs/cgroup/a/cpu.max 1"}},
	{"v2, a mount point with a blank", files{
		"/proc/self/cgroup":        "0::/a:b c",
		"/proc/self/mountinfo":     mountinfo(`30 22 0:26 / /my\040groups rw - cgroup2 cgroup2 rw`),
		"/my groups/a:b c/cpu.max": "100000 100000",
	}, []string{"/my groups/a:b c/cpu.max 1"}},
	{"v1, the controller mounted with another one", files{
		"/proc/self/cgroup":    "5:memory:/m\n4:cpu,cpuacct:/batch/job\n1:name=systemd:/x",
		"/proc/self/mountinfo": mountinfo(mountV1Mem, mountV1CPU),
		"/sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us":  "-1",
		"/sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_period_us": "100000",
		"/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us":      "250000",
		"/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us":     "100000",
		"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":            "-1",
		"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":           "100000",
	}, []string{"/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us 2.5"}},
	{"v1, a container with its own subtree and the host's path", files{
		"/proc/self/cgroup":                    "4:cpu,cpuacct:/docker/abc",
		"/proc/self/mountinfo":                 mountinfo("31 22 0:27 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct"),
		"/sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "50000",
		"/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
	}, []string{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us 0.5"}},
	{"hybrid: v2 is mounted, but cpu is a v1 controller", files{
		"/proc/self/cgroup":                                      "4:cpu,cpuacct:/user\n0::/user.slice/session",
		"/proc/self/mountinfo":                                   mountinfo(mountV1CPU, "33 22 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"),
		"/sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_quota_us":       "200000",
		"/sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_period_us":      "100000",
		"/sys/fs/cgroup/unified/user.slice/session/cgroup.procs": "1",
	}, []string{"/sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_quota_us 2"}},
	{"hybrid, the other way round: v1 for memory, cpu on v2", files{
		"/proc/self/cgroup":                "5:memory:/m\n0::/s",
		"/proc/self/mountinfo":             mountinfo(mountV1Mem, "33 22 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"),
		"/sys/fs/cgroup/unified/s/cpu.max": "100000 50000",
	}, []string{"/sys/fs/cgroup/unified/s/cpu.max 2"}},
	{"a cgroup that is not mounted", files{
		"/proc/self/cgroup":    "0::/a",
		"/proc/self/mountinfo": mountinfo(),
	}, nil},
	{"no /proc at all", files{}, nil},
}

func TestQuotas(t *testing.T) {
	for _, c := range quotaCases {
		quotas, notes := c.files.system("0-7").Quotas()
		var got []string
		for _, q := range quotas {
			got = append(got, fmt.Sprintf("%s %g", q.Path, q.CPUs))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || len(notes) > 0 {
			t.Errorf("%s: %q with notes %q, want %q", c.name, got, notes, c.want)
		}
	}
}

func TestQuotaThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "100000", "much 100000", "100000 0", "0 100000", "-5 100000"} {
		s := files{
			"/proc/self/cgroup":        "0::/a",
			"/proc/self/mountinfo":     mountinfo(mountV2),
			"/sys/fs/cgroup/a/cpu.max": text,
			"/sys/fs/cgroup/cpu.max":   "300000 100000",
		}.system("0-7")
		l, err := s.Limits()
		if err != nil || l.Procs != 3 || len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "/sys/fs/cgroup/a/cpu.max") {
			t.Errorf("%q: %+v, %v; want 3 by the ancestor and one note", text, l, err)
		}
	}
}

// quota returns the files of a machine with this CPU quota.
func quota(max string) files {
	return files{
		"/proc/self/cgroup":        "0::/a",
		"/proc/self/mountinfo":     mountinfo(mountV2),
		"/sys/fs/cgroup/a/cpu.max": max,
	}
}

func TestThrottling(t *testing.T) {
	for _, c := range []struct {
		name  string
		files files
		want  string
	}{
		{"v2, own cgroup", files{
			"/proc/self/cgroup":         "0::/a",
			"/proc/self/mountinfo":      mountinfo(mountV2),
			"/sys/fs/cgroup/a/cpu.stat": "usage_usec 1\nnr_periods 20\nnr_throttled 7\nthrottled_usec 1500000",
		}, "/sys/fs/cgroup/a/cpu.stat 7 1.5"},
		{"v2, the ancestor with the quota", files{
			"/proc/self/cgroup":           "0::/a/b",
			"/proc/self/mountinfo":        mountinfo(mountV2),
			"/sys/fs/cgroup/a/b/cpu.stat": "usage_usec 1\nnr_throttled 0\nthrottled_usec 0",
			"/sys/fs/cgroup/a/cpu.stat":   "usage_usec 1\nnr_throttled 3\nthrottled_usec 20",
			"/sys/fs/cgroup/cpu.stat":     "usage_usec 1",
		}, "/sys/fs/cgroup/a/cpu.stat 3 2e-05"},
		{"v1, in nanoseconds", files{
			"/proc/self/cgroup":                     "4:cpu,cpuacct:/a",
			"/proc/self/mountinfo":                  mountinfo(mountV1CPU),
			"/sys/fs/cgroup/cpu,cpuacct/a/cpu.stat": "nr_periods 20\nnr_throttled 7\nthrottled_time 2500000000",
		}, "/sys/fs/cgroup/cpu,cpuacct/a/cpu.stat 7 2.5"},
		{"a quota that never bit", files{
			"/proc/self/cgroup":         "0::/a",
			"/proc/self/mountinfo":      mountinfo(mountV2),
			"/sys/fs/cgroup/a/cpu.stat": "nr_throttled 0\nthrottled_usec 0",
		}, "/sys/fs/cgroup/a/cpu.stat 0 0"},
		{"v2 without the cpu controller", files{
			"/proc/self/cgroup":         "0::/a",
			"/proc/self/mountinfo":      mountinfo(mountV2),
			"/sys/fs/cgroup/a/cpu.stat": "usage_usec 5",
		}, "unavailable"},
		{"no cgroups", files{}, "unavailable"},
	} {
		got := "unavailable"
		if th := c.files.system("0-1").Throttling(); th != nil {
			got = fmt.Sprintf("%s %d %g", th.Path, th.Periods, th.Seconds)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
