package ipc

import (
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// Build returns a string that identifies this program, so that a parent can refuse a
// worker that runs another one. It consists of the version, the revision, the Go
// version, the platform, and a digest of the program's contents, in which two programs
// differ whatever else they have in common.
//
// The digest is the last part of Go's build ID, which the linker puts into every
// program and `go tool buildid` prints. A program that was linked without one (with
// -ldflags=-buildid= or Bazel) is read and hashed, at about 5 ms for 10 MB.
var Build = sync.OnceValue(func() string {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
				revision += " " + s.Value
			}
		}
	}
	return fmt.Sprintf("%s%s %s %s/%s %s", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, digest(buildID()))
})

// digest returns what identifies a program with a build ID, or this program if id is
// none that Go's tools made.
func digest(id string) string {
	// ACTION/.../CONTENT, 20 characters each: what the program was made from, and what
	// came of it.
	if at := strings.LastIndexByte(id, '/'); at >= 20 && len(id)-at > 20 {
		return id[at+1:]
	}
	exe, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	if runtime.GOOS == "linux" {
		exe = "/proc/self/exe" // exists even if the file was replaced or deleted
	}
	file, err := os.Open(exe)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	hash := crc64.New(crc64.MakeTable(crc64.ECMA))
	size, err := io.Copy(hash, file)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d-%016x", size, hash.Sum64())
}
