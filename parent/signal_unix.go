//go:build unix

package parent

import (
	"os"
	"syscall"
)

// signalOf returns the name of the signal that ended a process, or "".
func signalOf(state *os.ProcessState) string {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal().String()
	}
	return ""
}
