// Package procfs reads files of /proc and of cgroups, and parses those that have a key
// and a value in each line.
package procfs

import (
	"strconv"
	"strings"
)

// Int returns the integer after key in the line that starts with key. A colon
// and blanks may stand between the two, as in /proc/meminfo, /proc/PID/status,
// sched and limits, cpu.stat and memory.events. Int returns nil if there is no
// such line or no integer in it.
func Int(text, key string) *int64 {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, key)
		value := strings.TrimLeft(rest, ": \t")
		if !ok || value == rest { // another key, or a longer one
			continue
		}
		end := strings.IndexAny(value, " \t\n")
		if end < 0 {
			end = len(value)
		}
		n, err := strconv.ParseInt(value[:end], 10, 64)
		if err != nil {
			return nil
		}
		return &n
	}
	return nil
}
