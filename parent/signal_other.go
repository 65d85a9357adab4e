//go:build !unix

package parent

import "os"

func signalOf(*os.ProcessState) string { return "" }
