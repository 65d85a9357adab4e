package placement

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"procpool/internal/procfs"
)

// A Quota is a limit on CPU time that a cgroup sets for all its processes together.
type Quota struct {
	Path   string  `json:"path"`   // file that states it
	CPUs   float64 `json:"cpus"`   // quota divided by period: how many CPUs the cgroup can keep busy
	Source string  `json:"source"` // quota and period in microseconds: "150000/100000"
}

// Procs returns the quota in whole CPUs, rounded up as Go's runtime does for GOMAXPROCS:
// with 1.5 CPUs two workers are throttled now and then, and still do more than one.
func (q Quota) Procs() int { return max(1, int(math.Ceil(min(q.CPUs, MaxCPUs)))) }

// Quotas returns the CPU quotas of this process's cgroup and of the cgroups above
// it that are visible here, nearest first. Cgroups without a quota are left out.
// The notes name quotas that could not be read.
func (s System) Quotas() (quotas []Quota, notes []string) {
	for _, g := range s.cgroups("cpu") {
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

// quota reads the quota of the cgroup in dir. CPUs is 0 if it has none.
func (s System) quota(version int, dir string) (Quota, error) {
	file, text := dir+"/cpu.max", ""
	var err error
	if version == 2 {
		text, err = s.read(file) // "max 100000" or "150000 100000"
	} else {
		file = dir + "/cpu.cfs_quota_us" // -1 means no limit
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
// cgroup since the cgroup was created.
type Throttling struct {
	Path    string  `json:"path"`    // file that states it
	Periods int64   `json:"periods"` // number of quota periods (100 ms by default) with a stop
	Seconds float64 `json:"seconds"` // summed over CPUs
}

// Throttling returns the throttling of this process's cgroup or of a cgroup above
// it, whichever has the most throttled time, since the kernel counts it where the
// quota is set. It returns nil if that is unknown. All processes of the cgroup
// count. To measure a run, take the difference between its end and its start,
// provided that Path is the same.
func (s System) Throttling() *Throttling {
	var most *Throttling
	for _, g := range s.cgroups("cpu") {
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
			periods, throttled := procfs.Int(text, "nr_throttled"), procfs.Int(text, key)
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
