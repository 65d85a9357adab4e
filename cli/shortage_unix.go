//go:build unix

package cli

import "syscall"

// fileLimit is how many files this process may have open; not ok if unknown.
func fileLimit() (limit uint64, ok bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0, false
	}
	return uint64(r.Cur), true
}
