package placement

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// The lines of mountinfo that matter, between others.
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
	{"v2, a cgroup namespace: the container sees itself as the root", files{
		"/proc/self/cgroup":      "0::/",
		"/proc/self/mountinfo":   mountinfo(mountV2),
		"/sys/fs/cgroup/cpu.max": "300000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 3"}},
	{"v2, the sub tree of the container mounted from the host", files{
		"/proc/self/cgroup":            "0::/docker/abc/inner",
		"/proc/self/mountinfo":         mountinfo("30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/inner/cpu.max": "max 100000",
		"/sys/fs/cgroup/cpu.max":       "100000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 1"}},
	{"v2, mounted from outside the namespace: only the root is known to be ours", files{
		"/proc/self/cgroup":      "0::/",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "600000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 6"}},
	{"v2, moved to a sibling of the namespace, below such a mount", files{
		"/proc/self/cgroup":      "0::/../other",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "600000 100000",
	}, []string{"/sys/fs/cgroup/cpu.max 6"}},
	{"v2, moved out of the namespace: what is mounted is not ours", files{
		"/proc/self/cgroup":      "0::/../other",
		"/proc/self/mountinfo":   mountinfo(mountV2),
		"/sys/fs/cgroup/cpu.max": "100000 100000",
		"/sys/fs/other/cpu.max":  "100000 100000",
	}, nil},
	{"v2, a mount of another sub tree that begins alike", files{
		"/proc/self/cgroup":      "0::/docker/abcdef",
		"/proc/self/mountinfo":   mountinfo("30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"),
		"/sys/fs/cgroup/cpu.max": "100000 100000",
	}, nil},
	{"v2, of two mounts the one that shows more", files{
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
	{"v1, a container with its own sub tree and the host's path", files{
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

// quota is a machine with this CPU quota.
func quota(max string) files {
	return files{
		"/proc/self/cgroup":        "0::/a",
		"/proc/self/mountinfo":     mountinfo(mountV2),
		"/sys/fs/cgroup/a/cpu.max": max,
	}
}

func TestLimits(t *testing.T) {
	job := "SLURM_JOB_ID=7"
	for _, c := range []struct {
		name   string
		files  files
		mask   string
		env    []string
		procs  int
		by     string
		others int // limits in All beside the one that decides
	}{
		{"the mask", files{}, "0-7", nil, 8, "affinity", 0},
		{"a mask with holes", files{}, "1,3-4,700", nil, 4, "affinity", 0},
		{"a mask beyond 1,024 CPUs", files{}, "0-1535", nil, 1536, "affinity", 0},
		{"more CPUs than workers are allowed", files{}, "0-8191", nil, 4096, "maximum", 1},
		{"no mask on this system", files{}, "", nil, runtime.NumCPU(), "cpus", 0},
		{"a quota", quota("300000 100000"), "0-7", nil, 3, "cgroup", 1},
		{"a quota is rounded down", quota("399999 100000"), "0-7", nil, 3, "cgroup", 1},
		{"but not to nothing", quota("10000 100000"), "0-7", nil, 1, "cgroup", 1},
		{"a quota above the mask", quota("1600000 100000"), "0-7", nil, 8, "affinity", 1},
		{"the mask decides between equals", quota("800000 100000"), "0-7", nil, 8, "affinity", 1},
		{"a quota beyond all bounds", quota("9223372036854775807 1"), "0-7", nil, 8, "affinity", 1},
		{"Slurm's CPUs a task", files{}, "0-63", []string{job, "SLURM_CPUS_PER_TASK=4", "SLURM_CPUS_ON_NODE=32"}, 4, "slurm", 1},
		{"Slurm's CPUs on the node", files{}, "0-63", []string{job, "SLURM_CPUS_ON_NODE=32"}, 32, "slurm", 1},
		{"CPUs a task win, also when more", files{}, "0-63", []string{job, "SLURM_CPUS_PER_TASK=40", "SLURM_CPUS_ON_NODE=32"}, 40, "slurm", 1},
		{"Slurm's variables outside a job", files{}, "0-63", []string{"SLURM_CPUS_PER_TASK=4"}, 64, "affinity", 0},
		{"a Slurm job inside a smaller mask", files{}, "0-1", []string{job, "SLURM_CPUS_PER_TASK=4"}, 2, "affinity", 1},
		{"the user's variable", files{}, "0-7", []string{"PROCPOOL_PROCS= 3 "}, 3, "PROCPOOL_PROCS", 1},
		{"it is decimal", files{}, "0-63", []string{"PROCPOOL_PROCS=010"}, 10, "PROCPOOL_PROCS", 1},
		{"it can only lower", files{}, "0-7", []string{"PROCPOOL_PROCS=64"}, 8, "affinity", 1},
		{"GOMAXPROCS has no say", files{}, "0-7", []string{"GOMAXPROCS=1"}, 8, "affinity", 0},
		{"all at once", quota("500000 100000"), "0-7", []string{job, "SLURM_CPUS_PER_TASK=4", "PROCPOOL_PROCS=6"}, 4, "slurm", 3},
	} {
		l, err := c.files.system(c.mask, c.env...).Limits()
		if err != nil || l.Procs != c.procs || l.DecidedBy != c.by || len(l.All) != c.others+1 {
			t.Errorf("%s: %+v, %v; want %d by %s and %d others", c.name, l, err, c.procs, c.by, c.others)
		}
	}
}

func TestLimitsOfBadVariables(t *testing.T) {
	for _, text := range []string{"0", "-1", "two", "2.5", "4097", "99999999999999999999", "1e1"} {
		l, err := files{}.system("0-7", "PROCPOOL_PROCS="+text).Limits()
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "from 1 to 4096") {
			t.Errorf("PROCPOOL_PROCS=%s: error %v", text, err)
		}
		if l.Procs != 8 {
			t.Errorf("PROCPOOL_PROCS=%s: %d beside the error, want what the rest says", text, l.Procs)
		}
	}
	// Slurm's variables are not the user's typing: a note, and life goes on.
	l, err := files{}.system("0-7", "SLURM_JOB_ID=7", "SLURM_CPUS_PER_TASK=4(x2)").Limits()
	if err != nil || l.Procs != 8 || len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "4(x2)") {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestLimitsWithFlag(t *testing.T) {
	l, err := quota("200000 100000").system("0-7", "PROCPOOL_PROCS=1").Limits()
	if err != nil {
		t.Fatal(err)
	}
	if a := l.Available(); a.Procs != 2 || a.By != "cgroup" {
		t.Errorf("available is %+v, want 2 by cgroup", a)
	}
	if f := l.WithFlag(16); f.Procs != 16 || f.DecidedBy != "flag" || len(f.All) != 3 {
		t.Errorf("with a flag: %+v", f)
	}
	if l.Procs != 1 || l.DecidedBy != "PROCPOOL_PROCS" {
		t.Errorf("WithFlag changed its receiver: %+v", l)
	}
}
