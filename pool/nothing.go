package pool

import "procpool/task"

// nothing is the supply of a call that only waits for a worker.
type nothing struct{}

func (nothing) more() bool     { return false }
func (nothing) next() *chunk   { panic("there is no chunk") }
func (nothing) left() int64    { return 0 }
func (nothing) settled(*chunk) {}

// readiness is the task of such a call.
var readiness = &task.Spec{Name: "readiness"}
