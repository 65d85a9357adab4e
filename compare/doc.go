// Package compare finds out whether a task is faster on goroutines or in processes, by
// how much, and why. A caller describes an [Experiment], runs it with [Do] on [Pools], and
// prints the [Record] with [Report].
//
// # Method
//
// The size of each task is calibrated once on the serial backend and frozen. Then come
// rounds. In a round every comparison (a [Row]) that is not yet decided runs its two
// cells once, one directly after the other; a coin decides which goes first. Each pair
// yields one log-ratio of times. What slows both runs down cancels. If the two cells run
// the same code, the sign of the log-ratio is random whatever the noise.
//
// The time that a run spends once, whatever its size, is called starting (see
// [Run.Starting]). The ratio compares the rest, so it does not depend on the size.
//
// Winner and interval come from one test, Wilcoxon's signed rank test. It looks at growing
// numbers of pairs, and the looks share the error: see package rank. The experiment ends
// when all rows are decided or the budget is spent.
//
// # Data
//
// [Do] drives a [Runner] and returns a [Record]: the plan, every raw run, and the
// [Results], which follow from these alone: [Read] computes them anew. [Report] and [Text]
// print them, package report exports them. [Inputs] makes tasks with inputs comparable, and
// [Exec] compares a program.
//
// All times are seconds of wall clock unless a name says CPU; all spans of a
// run share one clock that starts at 0 with the run.
package compare
