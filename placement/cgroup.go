package placement

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// A cgroup is the place of this process in one cgroup hierarchy.
type cgroup struct {
	version int // 1 or 2
	// dirs are absolute paths: the directory of the process's cgroup, then those of
	// its ancestors up to the root of the mount. A limit in any of them applies.
	dirs []string
}

// cgroups finds this process in the version 1 hierarchy of a controller and in the
// version 2 hierarchy, if they are mounted here. Each controller belongs to one of
// the two, so on a hybrid system the other one has no files of the controller.
//
// cgroups(7) and proc_pid_mountinfo(5) describe the formats.
func (s System) cgroups(controller string) []cgroup {
	membership, err := s.read("/proc/self/cgroup")
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
	root        string   // cgroup that is mounted
	point       string   // directory where it is mounted
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

// cgroupDirs returns the directories of the cgroup with path own and of its
// ancestors, or nil if no mount shows it. If several mounts do, it takes the one
// with the most ancestors.
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
		if len(up) >= len(dirs) { // of two equals the later mount may hide the earlier one
			dirs = up
		}
	}
	return dirs
}

// pathBelow returns the path of cgroup own relative to the mounted cgroup root, if
// it is below it. Both paths are seen from this process's cgroup namespace, where
// /.. is the parent of the namespace's root.
func pathBelow(own, root string) (string, bool) {
	if root == "/" {
		root = ""
	}
	if below, ok := strings.CutPrefix(own, root); ok && (below == "" || below[0] == '/') {
		return below, !strings.HasPrefix(below, "/..")
	}
	// The mount was made outside the namespace. Its root is an ancestor of own, and
	// its limits apply, but the directories between the two are hidden.
	return "", strings.Trim(root, "./") == ""
}

// unescape replaces the octal escapes (\040 is a space) in a path of mountinfo.
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
