package parent

import "syscall"

// launcherAttr asks the kernel to terminate a launcher with its parent, which
// makes srun and ssh end what they carry; SIGKILL would leave it alone. In a session of
// its own a launcher has no terminal, on which ssh would ask what nobody sees, and wait.
func launcherAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
}
