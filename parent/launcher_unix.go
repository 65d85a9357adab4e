//go:build unix && !linux

package parent

import "syscall"

// launcherAttr starts a launcher in a session of its own. These systems send no signal
// when the parent ends: a launcher notices by its streams, or its worker by missing beats.
func launcherAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
