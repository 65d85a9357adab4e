package parent

import "syscall"

// launcherAttr makes the kernel send SIGTERM to a launcher when its parent ends, on which
// srun and ssh end the worker; after SIGKILL they could not. A session of its own takes
// the terminal away, on which ssh would ask for a password and wait.
func launcherAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
}
