package placement

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"procpool/internal/procfs"
)

// A System is the machine that facts are read from. The zero value is the real
// one; tests use files in memory.
type System struct {
	// FS is the file system from "/" down. Only /proc, /sys and the mounted cgroups
	// are read. Nil means the real one.
	FS fs.FS
	// Getenv returns an environment variable, "" if it is not set. Nil means os.Getenv.
	Getenv func(name string) string
	// Affinity returns the CPUs that this process may use. Nil means ThreadAffinity.
	Affinity func() (CPUSet, error)
}

// Mask returns the CPUs that this process may use: its affinity mask, which
// cpusets and Slurm narrow too. The error wraps errors.ErrUnsupported on systems
// that have no such mask.
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

// read returns the text of a file without the newline at its end. The elements
// are joined to an absolute path.
func (s System) read(elem ...string) (string, error) {
	file := path.Join(elem...)
	var data []byte
	var err error
	if s.FS == nil {
		data, err = procfs.Read(file)
	} else {
		data, err = fs.ReadFile(s.FS, fsPath(file))
	}
	return strings.TrimRight(string(data), "\n"), err
}

// root returns the file system.
func (s System) root() fs.FS {
	if s.FS != nil {
		return s.FS
	}
	return os.DirFS("/")
}

// readSet returns the CPU list in a file. It returns the empty set if the file is
// missing or holds no list.
func (s System) readSet(elem ...string) CPUSet {
	text, err := s.read(elem...)
	if err != nil {
		return CPUSet{}
	}
	set, _ := ParseCPUSet(text)
	return set
}

// fsPath converts an absolute path to a path in an fs.FS.
func fsPath(abs string) string { return strings.TrimPrefix(path.Clean(abs), "/") }
