// Package terminal reports whether a stream is a terminal, and how wide it is.
package terminal

import "golang.org/x/term"

// Is reports whether f is a terminal. Only an *os.File can be one, or what has the
// descriptor of one.
func Is(f any) bool {
	file, ok := f.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// Columns returns the width of the terminal f, or 0 if f is not a terminal or
// its width is unknown.
func Columns(f any) int {
	if !Is(f) {
		return 0
	}
	width, _, err := term.GetSize(int(f.(interface{ Fd() uintptr }).Fd()))
	if err != nil {
		return 0
	}
	return max(width, 0)
}
