//go:build unix

package parent

import (
	"os"
	"syscall"
)

// signalOf names the signal that ended a process, or is "".
func signalOf(state *os.ProcessState) string {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal().String()
	}
	return ""
}
