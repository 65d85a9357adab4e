//go:build !linux

// Package proctree ends a process together with everything that it started.
package proctree

import "os"

// Kill kills a child of this process. What it has started cannot be found here.
func Kill(p *os.Process) { p.Kill() }

// KillDescendants does nothing here: they cannot be found.
func KillDescendants(int) {}

// KillOwn does nothing here.
func KillOwn() {}

// Adopt does nothing here.
func Adopt() {}

// KillStrays does nothing here.
func KillStrays() {}

// Started are no processes here.
type Started struct{}

// Grandchildren finds nothing here.
func Grandchildren() Started { return Started{} }

// KillOrphans does nothing here.
func (Started) KillOrphans() {}
