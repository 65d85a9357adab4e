// Package terminal tells terminals from files and pipes.
package terminal

import (
	"os"

	"golang.org/x/term"
)

// Is reports whether f, a stream of any kind, is a terminal.
func Is(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Columns is how wide the terminal f is; 0 if f is none, or does not say.
func Columns(f any) int {
	if !Is(f) {
		return 0
	}
	width, _, err := term.GetSize(int(f.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return max(width, 0)
}
