package pool

import "procpool/task"

// nothing is the supply of the call that Ready makes: it has no chunks.
type nothing struct{}

func (nothing) more() bool     { return false }
func (nothing) next() *chunk   { panic("there is no chunk") }
func (nothing) left() int64    { return 0 }
func (nothing) settled(*chunk) {}

// readiness is the task of that call; it never runs.
var readiness = &task.Spec{Name: "readiness"}
