package tasks

import "procpool/internal/kernel"

// Kernel names the code path that the numeric tasks use on this machine.
func Kernel() string { return kernel.Path() }
