package parent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programFile returns the path of this program's file. The file may have been replaced
// since; the build in a worker's hello shows that.
func programFile() (string, error) {
	exe, err := os.Executable()
	if err == nil {
		return exe, nil
	}
	// Without /proc, fall back on the name by which the program was called. A relative
	// name is valid only as long as the program has not changed its directory.
	if exe, err = exec.LookPath(os.Args[0]); err == nil {
		exe, err = filepath.Abs(exe)
	}
	if err != nil {
		return "", fmt.Errorf("the file of this program cannot be found: there is no /proc, and no program of the name %q by which it was called", os.Args[0])
	}
	return exe, nil
}

// FindProgram returns the file of a program that will run in dir. A path is relative to
// dir; a name is looked up in PATH, as a shell does.
func FindProgram(name, dir string) (string, error) {
	if dir != "" && filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
