package placement

import (
	"errors"
	"fmt"
	"testing"
)

// user is the status of a process in /proc.
func user(uid, threads int, caps string) string {
	return fmt.Sprintf("Name:\tx\nUid:\t%d\t0\t0\t0\nThreads:\t%d\nCapEff:\t%s\n", uid, threads, caps)
}

func TestCheckThreads(t *testing.T) {
	const none, admin = "0000000000000000", "0000000000200000"
	nproc := func(most string, uid int, caps, uids string) files {
		return files{
			"/proc/self/limits": "Max processes             " + most + "                 96365                processes", "/proc/self/uid_map": uids,
			"/proc/self/status": user(uid, 5, caps), "/proc/7/status": user(uid, 5, caps), "/proc/8/status": user(uid, 13, none), "/proc/9/status": user(77, 1000, none),
		}
	}
	const allUsers = "         0          0 4294967295"
	for name, c := range map[string]struct {
		files files
		fit   int // of 4 workers; 4 if there is room
		limit string
	}{
		"nothing is known": {nil, 4, ""},
		"no limit":         {files{"/proc/self/cgroup": "0::/a", "/sys/fs/cgroup/a/pids.max": "max", "/sys/fs/cgroup/a/pids.current": "9999"}, 4, ""},
		"room":             {files{"/proc/self/cgroup": "0::/a", "/sys/fs/cgroup/a/pids.max": "100", "/sys/fs/cgroup/a/pids.current": "69"}, 4, ""},
		"room for three": {files{"/proc/self/cgroup": "0::/a", "/sys/fs/cgroup/a/pids.max": "100", "/sys/fs/cgroup/a/pids.current": "70"},
			3, "/sys/fs/cgroup/a/pids.max"},
		"room for none": {files{"/proc/self/cgroup": "0::/a", "/sys/fs/cgroup/a/pids.max": "8", "/sys/fs/cgroup/a/pids.current": "9"},
			0, "/sys/fs/cgroup/a/pids.max"},
		"a limit above": {files{"/proc/self/cgroup": "0::/a/b", "/sys/fs/cgroup/a/b/pids.max": "100", "/sys/fs/cgroup/a/b/pids.current": "5",
			"/sys/fs/cgroup/a/pids.max": "24", "/sys/fs/cgroup/a/pids.current": "5"}, 2, "/sys/fs/cgroup/a/pids.max"},
		"version 1": {files{"/proc/self/cgroup": "8:pids:/a\n0::/b", "/sys/fs/cgroup/pids/a/pids.max": "24", "/sys/fs/cgroup/pids/a/pids.current": "5"},
			2, "/sys/fs/cgroup/pids/a/pids.max"},
		"a container that sees the host's path": {files{"/proc/self/cgroup": "8:pids:/docker/4711", "/sys/fs/cgroup/pids/pids.max": "24", "/sys/fs/cgroup/pids/pids.current": "5"},
			2, "/sys/fs/cgroup/pids/pids.max"},
		"outside the namespace": {files{"/proc/self/cgroup": "0::/../x", "/sys/fs/cgroup/pids.max": "24", "/sys/fs/cgroup/pids.current": "5"},
			2, "/sys/fs/cgroup/pids.max"},
		"user":                  {nproc("30", 1000, none, allUsers), 1, "RLIMIT_NPROC (ulimit -u)"},
		"user without limit":    {nproc("unlimited", 1000, none, allUsers), 4, ""},
		"user with room":        {nproc("49", 1000, none, allUsers), 4, ""},
		"root":                  {nproc("30", 0, none, allUsers), 4, ""},
		"administrator":         {nproc("30", 1000, admin, allUsers), 4, ""},
		"root of a namespace":   {nproc("30", 0, admin, "         0       1000          1"), 1, "RLIMIT_NPROC (ulimit -u)"},
		"a limit that is large": {nproc("9999", 1000, none, allUsers), 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.files.system("0-63")
			err := s.CheckThreads(4, 1)
			var full *ThreadsError
			if got := errors.As(err, &full); got != (c.fit < 4) {
				t.Fatal(err)
			}
			limits, _ := s.Limits()
			if full == nil {
				if limits.Procs < 4 {
					t.Errorf("auto is %d workers", limits.Procs)
				}
				return
			}
			if full.Fit != c.fit || full.Limit.Source != c.limit || full.Procs != 4 {
				t.Errorf("%+v", full)
			}
			if limits.Procs != max(c.fit, 1) || limits.DecidedBy != ByThreads {
				t.Errorf("auto is %+v", limits)
			}
			t.Logf("%v; hint: %s", full, full.Hint())
		})
	}
}
