//go:build !unix

package pool

import "os"

func signalOf(*os.ProcessState) string { return "" }
