// Package compare is the experiment behind "do processes or goroutines win, by
// how much, and why": it runs the same task on goroutines and in processes, side by
// side, and judges the differences.
//
// # Method
//
// The size of each task is calibrated once on the serial backend and frozen. Then come
// rounds. In a round every comparison (a [Row]) that is not yet decided runs its two
// cells once, one directly after the other; a coin decides which goes first. Each such
// pair yields one log-ratio of times, so whatever slows the pair down cancels, and if the
// two cells are the same code, its sign is a coin's whatever the noise.
//
// What a run has once, whatever its size, is starting (see [Run.Starting]). The ratio is
// of the rest, so that it does not depend on the size.
//
// Winner and interval come from one test, Wilcoxon's signed rank test, and from looks at
// growing numbers of pairs that share the error: see package rank. When all rows are
// decided or the budget is spent, it ends.
//
// # Data
//
// [Do] drives a [Runner] and returns a [Record]: the plan, every raw run, and the
// [Results], which follow from these alone: [Read] computes them anew. [Report] and [Text]
// print them, package report exports them. [Pools] is the runner that really runs
// cells. [Inputs] makes tasks with inputs comparable.
//
// All times are seconds of wall clock unless a name says CPU; all spans of a
// run share one clock that starts at 0 with the run.
package compare
