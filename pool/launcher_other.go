//go:build !unix

package pool

import "syscall"

func launcherAttr() *syscall.SysProcAttr { return nil }
