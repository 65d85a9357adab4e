//go:build unix && !linux

package parent

import "syscall"

// launcherAttr asks for no signal with the parent's end: a launcher notices
// it by its streams, or its worker by the missing heartbeats.
func launcherAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
