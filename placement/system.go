package placement

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// A System is where the facts come from. The zero value is the machine that
// this process runs on; tests put a tree in memory in its place.
type System struct {
	// FS is the file system from "/" on, of which only /proc, /sys and the mounted
	// cgroups are read. Nil means the real one.
	FS fs.FS
	// Getenv gives the value of an environment variable, "" where it is not set.
	// Nil means os.Getenv.
	Getenv func(name string) string
	// Affinity gives the CPUs that this process may use. Nil means ThreadAffinity.
	Affinity func() (CPUSet, error)
}

// Mask is the set of CPUs that this process may use: the affinity mask it
// inherited, which cpusets and Slurm narrow as well. The error wraps
// errors.ErrUnsupported where the system has no such mask.
func (s System) Mask() (CPUSet, error) {
	if s.Affinity != nil {
		return s.Affinity()
	}
	return ThreadAffinity()
}

func (s System) getenv(name string) string {
	if s.Getenv != nil {
		return strings.TrimSpace(s.Getenv(name))
	}
	return strings.TrimSpace(os.Getenv(name))
}

func (s System) root() fs.FS {
	if s.FS != nil {
		return s.FS
	}
	return os.DirFS("/")
}

// read gives the text of the file with this absolute path, without the newline
// at its end.
func (s System) read(elem ...string) (string, error) {
	data, err := fs.ReadFile(s.root(), fsPath(path.Join(elem...)))
	return strings.TrimRight(string(data), "\n"), err
}

// readSet gives the CPU list in a file, or the empty set.
func (s System) readSet(elem ...string) CPUSet {
	text, err := s.read(elem...)
	if err != nil {
		return CPUSet{}
	}
	set, err := ParseCPUSet(text)
	if err != nil {
		return CPUSet{}
	}
	return set
}

// fsPath turns the absolute path of a file into one of an fs.FS.
func fsPath(abs string) string { return strings.TrimPrefix(path.Clean(abs), "/") }

// procDir is the directory of a process in /proc; pid 0 is this process.
func procDir(pid int) string {
	if pid == 0 {
		return "/proc/self"
	}
	return "/proc/" + strconv.Itoa(pid)
}

// value finds the line of a keyed file that starts with key, and gives the word
// after it, past blanks and a colon: the format of cpu.stat, memory.events,
// /proc/meminfo, /proc/PID/{status,sched,limits} alike.
func value(text, key string) (string, bool) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, key)
		if !ok {
			continue
		}
		word := strings.TrimLeft(rest, ": \t")
		if word == rest { // a longer key
			continue
		}
		if fields := strings.Fields(word); len(fields) > 0 {
			return fields[0], true
		}
	}
	return "", false
}

// number is value as an integer; nil where it is missing or no integer.
func number(text, key string) *int64 {
	word, ok := value(text, key)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}
