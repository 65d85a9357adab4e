//go:build !linux

package ipc

import (
	"bytes"
	"io"
	"os"
)

// buildID returns Go's build ID, or "". Outside ELF the linker puts it at the beginning
// of the code, behind a mark.
func buildID() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(exe)
	if err != nil {
		return ""
	}
	defer file.Close()
	start := make([]byte, 64<<10)
	n, _ := io.ReadFull(file, start)
	_, rest, found := bytes.Cut(start[:n], []byte("\xff Go build ID: \""))
	id, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return ""
	}
	return string(id)
}
