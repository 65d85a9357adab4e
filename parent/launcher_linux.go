package parent

import "syscall"

// launcherAttr asks the kernel to terminate a launcher with its parent, which
// makes srun and ssh end what they carry; SIGKILL would leave it alone.
func launcherAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
