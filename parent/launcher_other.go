//go:build !unix

package parent

import "syscall"

func launcherAttr() *syscall.SysProcAttr { return nil }
