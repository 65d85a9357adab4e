// Package report writes the record of an experiment as a web page ([HTML]) or as lines for
// benchstat ([Gobench]), and the timelines of single runs for Perfetto ([TraceRuns]).
//
// The output depends on the record alone: the same record gives the same bytes on every
// machine. For a terminal there is compare.Text; compare.Write writes the record itself.
package report
