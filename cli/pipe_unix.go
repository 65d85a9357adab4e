//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// dieOfPipe ends this process by SIGPIPE. Go does so by itself when a write to
// standard output fails; this is for writers that do not get that far.
func dieOfPipe() {
	signal.Reset(syscall.SIGPIPE)
	syscall.Kill(os.Getpid(), syscall.SIGPIPE)
}
