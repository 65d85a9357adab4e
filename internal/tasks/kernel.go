package tasks

import "procpool/internal/kernel"

// Kernel returns the name of the code path of the numeric tasks on this machine.
func Kernel() string { return kernel.Path() }
