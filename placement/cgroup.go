package placement

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// A cgroup is where a process stands in one cgroup hierarchy.
type cgroup struct {
	version int // 1 or 2
	// dirs are absolute paths: the directory of the process first, then every
	// ancestor up to the root of the mount. A limit in any of them applies.
	dirs []string
}

// cgroups finds the process (0: this one) in the version 1 hierarchy of a
// controller and in the version 2 hierarchy, as far as they are mounted here. A
// controller lives in one of the two, so on a hybrid system the files of the
// other are just not there.
//
// The formats are those of cgroups(7) and proc_pid_mountinfo(5).
func (s System) cgroups(pid int, controller string) []cgroup {
	membership, err := s.read(procDir(pid), "cgroup")
	if err != nil {
		return nil
	}
	table, err := s.read("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	mounts := cgroupMounts(table)
	var found []cgroup
	for line := range strings.Lines(membership) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		version := 1
		if parts[0] == "0" && parts[1] == "" {
			version = 2
		} else if !slices.Contains(strings.Split(parts[1], ","), controller) {
			continue
		}
		if dirs := cgroupDirs(mounts, version, controller, parts[2]); dirs != nil {
			found = append(found, cgroup{version, dirs})
		}
	}
	return found
}

// A cgroupMount is one line of mountinfo.
type cgroupMount struct {
	version     int
	controllers []string // version 1 only
	root        string   // which cgroup of the hierarchy is mounted
	point       string   // where
}

func cgroupMounts(mountinfo string) []cgroupMount {
	var mounts []cgroupMount
	for line := range strings.Lines(mountinfo) {
		// ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE SUPEROPTIONS
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		m := cgroupMount{root: unescape(left[3]), point: unescape(left[4])}
		switch right[0] {
		case "cgroup":
			m.version, m.controllers = 1, strings.Split(right[2], ",")
		case "cgroup2":
			m.version = 2
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// cgroupDirs lists the directories of the cgroup with this path, or nil where no
// mount shows it. Of several mounts it takes the one with the most ancestors.
func cgroupDirs(mounts []cgroupMount, version int, controller, own string) []string {
	var dirs []string
	for _, m := range mounts {
		if m.version != version || version == 1 && !slices.Contains(m.controllers, controller) {
			continue
		}
		below, ok := pathBelow(own, m.root)
		if !ok {
			continue
		}
		var up []string
		for dir := path.Join(m.point, below); ; dir = path.Dir(dir) {
			up = append(up, dir)
			if len(dir) <= len(m.point) {
				break
			}
		}
		if len(up) >= len(dirs) { // of equals the later one, which may lie on top
			dirs = up
		}
	}
	return dirs
}

// pathBelow is what remains of the cgroup path own below the mounted cgroup
// root. Both are seen from this process's cgroup namespace, where /.. is the
// parent of the namespace's root.
func pathBelow(own, root string) (string, bool) {
	if root == "/" {
		root = ""
	}
	if below, ok := strings.CutPrefix(own, root); ok && (below == "" || below[0] == '/') {
		return below, !strings.HasPrefix(below, "/..")
	}
	// A mount from outside the namespace: its root is an ancestor, but the names on
	// the way down to us are hidden. The limits of the root itself do apply.
	return "", strings.Trim(root, "./") == ""
}

// unescape undoes the octal escapes (\040 is a space) in a mountinfo path.
func unescape(field string) string {
	if !strings.Contains(field, `\`) {
		return field
	}
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if c, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}
