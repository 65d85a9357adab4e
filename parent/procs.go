package parent

import "runtime"

func usableCPUs() int { return runtime.NumCPU() }
