package placement

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A Quota is a limit on CPU time that a cgroup sets for all its processes.
type Quota struct {
	Path   string  `json:"path"`   // the file that says so
	CPUs   float64 `json:"cpus"`   // how many CPUs' worth of time: quota over period
	Source string  `json:"source"` // quota and period as written, in microseconds: "150000/100000"
}

// Procs is the quota in whole CPUs: rounded down, but at least 1.
func (q Quota) Procs() int { return max(1, int(min(q.CPUs, MaxCPUs))) }

// Quotas lists the CPU quotas that apply to this process: those of its cgroup
// and of every cgroup above that is visible here, the nearest first. The notes
// say which limit could not be read; a level without a limit is neither.
func (s System) Quotas() (quotas []Quota, notes []string) {
	for _, g := range s.cgroups(0, "cpu") {
		for _, dir := range g.dirs {
			q, err := s.quota(g.version, dir)
			switch {
			case err == nil && q.CPUs > 0:
				quotas = append(quotas, q)
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				notes = append(notes, fmt.Sprintf("ignored a CPU quota that cannot be read: %v", err))
			}
		}
	}
	return quotas, notes
}

// quota reads the limit of one cgroup; CPUs is 0 where it has none.
func (s System) quota(version int, dir string) (Quota, error) {
	file, text := dir+"/cpu.max", ""
	var err error
	if version == 2 {
		text, err = s.read(file) // "max 100000" or "150000 100000"
	} else {
		file = dir + "/cpu.cfs_quota_us" // -1 is no limit
		var quota, period string
		if quota, err = s.read(file); err == nil {
			period, err = s.read(dir, "cpu.cfs_period_us")
		}
		text = quota + " " + period
	}
	if err != nil {
		return Quota{}, err
	}
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return Quota{}, fmt.Errorf("%s says %q", file, text)
	}
	if fields[0] == "max" || fields[0] == "-1" {
		return Quota{}, nil
	}
	quota, err1 := strconv.ParseInt(fields[0], 10, 64)
	period, err2 := strconv.ParseInt(fields[1], 10, 64)
	if err1 != nil || err2 != nil || quota <= 0 || period <= 0 {
		return Quota{}, fmt.Errorf("%s says %q", file, text)
	}
	return Quota{Path: file, CPUs: float64(quota) / float64(period), Source: fields[0] + "/" + fields[1]}, nil
}

// Throttling is how often and how long a CPU quota stopped the processes of a
// cgroup, since the cgroup was made.
type Throttling struct {
	Path    string  `json:"path"`    // the file that says so
	Periods int64   `json:"periods"` // in how many periods of the quota (100 ms by default)
	Seconds float64 `json:"seconds"` // summed over CPUs
}

// Throttling finds the cgroup with the most throttled time among that of the
// process (0: this one) and those above, since a quota is accounted where it is
// set. Nil means not available. It counts all processes of the cgroup: a run
// takes the difference between its start and its end, while Path is the same.
func (s System) Throttling(pid int) *Throttling {
	var most *Throttling
	for _, g := range s.cgroups(pid, "cpu") {
		for _, dir := range g.dirs {
			file := path.Join(dir, "cpu.stat")
			text, err := s.read(file)
			if err != nil {
				continue
			}
			key, unit := "throttled_usec", 1e6
			if g.version == 1 {
				key, unit = "throttled_time", 1e9
			}
			periods, throttled := number(text, "nr_throttled"), number(text, key)
			if periods == nil || throttled == nil {
				continue
			}
			t := &Throttling{Path: file, Periods: *periods, Seconds: float64(*throttled) / unit}
			if most == nil || t.Seconds > most.Seconds {
				most = t
			}
		}
	}
	return most
}
