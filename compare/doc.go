// Package compare is the experiment behind "do processes or goroutines win, by
// how much, and why": it runs the same task serially, on goroutines, on locked
// threads and in processes, side by side, and judges the differences.
//
// # Method
//
// The size of each task is calibrated once on the serial backend and frozen.
// Then come rounds. In a round every cell (task, backend, workers, ablation)
// runs once, in an order that is balanced over positions and neighbours and
// randomised again for every block of rounds (see [Record.Order]). Cells are
// compared within a round only: each round yields one log-ratio a comparison,
// so whatever slows a whole round down (drift, a neighbour, a governor) cancels.
//
// The centre is the median of the paired ratios, its interval is the exact
// binomial (order statistic) one, which assumes no distribution, and it is
// widened by Bonferroni for the number of comparisons shown. A verdict comes
// from exact sign tests under Holm's step-down rule. Each round also runs the
// reference backend twice: where this A/A control reports a difference between
// identical code, verdicts are weakened. Rounds stop when the intervals are narrow
// enough or the budget is spent, never because a difference became significant.
//
// # Files
//
// cell.go and experiment.go say what is compared, record.go and results.go hold
// the answer. do.go runs the experiment, with plan.go, prepare.go and order.go.
// analyse.go computes the results, with samples.go, stats.go, verdict.go, usage.go,
// scaling.go and why.go. [Pools] is the runner that really runs cells: pools.go in
// the experiment's process, freshprocess.go in the process of one run, recorder.go
// and spans.go for its timeline.
//
// # Data
//
// [Do] drives a [Runner] and returns a [Record]: the plan, the order, every
// raw run, the caveats and the [Results]. Package report renders a Record without
// running anything again.
//
// All times are seconds of wall clock unless a name says CPU; all spans of a
// run share one clock that starts at 0 with the run.
package compare
