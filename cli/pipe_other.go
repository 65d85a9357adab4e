//go:build !unix

package cli

import "os"

func dieOfPipe() {}

func writeWithoutSIGPIPE(_ uintptr, b []byte) { os.Stderr.Write(b) }

func stdoutClosed() bool { return false }
