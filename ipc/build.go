package ipc

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// Build returns a string that identifies this program, so that a parent can refuse a
// worker that runs another one. It consists of the version, the revision, the Go
// version, the platform, and the size of the executable in bytes, which distinguishes
// most builds without a version.
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
	size := int64(-1)
	exe, err := os.Executable()
	if runtime.GOOS == "linux" {
		exe, err = "/proc/self/exe", nil // exists even if the file was replaced or deleted
	}
	if err == nil {
		if st, err := os.Stat(exe); err == nil {
			size = st.Size()
		}
	}
	return fmt.Sprintf("%s%s %s %s/%s %d", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, size)
})
