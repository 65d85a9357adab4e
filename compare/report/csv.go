package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"procpool/compare"
	"procpool/internal/text"
)

// CSV writes one line for each raw run, in the order in which they ran. Floats
// have the digits that read back to the same bits; what is unavailable is empty.
func CSV(w io.Writer, rec compare.Record) error {
	out := csv.NewWriter(w)
	head := []string{"round", "position", "start_seconds", "task", "backend", "workers", "ablation", "control", "interval_start", "interval_end", "chunk_size",
		"wall_seconds", "parent_cpu_seconds", "workers_cpu_seconds", "parent_peak_rss_bytes", "workers_peak_rss_bytes", "value", "bits", "flags"}
	for _, p := range compare.Phases() {
		head = append(head, string(p)+"_seconds") // summed over workers
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, r := range rec.Runs {
		c, workers := rec.Plan.Cells[r.Cell], r.WorkersTotal()
		line := []string{strconv.Itoa(r.Round), strconv.Itoa(r.Position), text.Float(r.Start), c.Task, string(c.Backend), strconv.Itoa(c.Workers),
			string(c.Ablation), strconv.FormatBool(c.Control), strconv.FormatInt(c.Interval.Start, 10), strconv.FormatInt(c.Interval.End, 10), strconv.FormatInt(c.ChunkSize, 10),
			text.Float(r.Wall), blank(r.Parent.CPUSeconds, text.Float), blank(workers.CPUSeconds, text.Float),
			blank(r.Parent.PeakRSSBytes, text.Float), blank(workers.PeakRSSBytes, text.Float),
			r.Value.Text, r.Value.Bits, strings.Join(r.Flags, " ")}
		for _, p := range compare.Phases() {
			line = append(line, blank(phaseSum(r, p), text.Float))
		}
		for i := range line {
			line[i] = noFormula(line[i])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// noFormula returns a cell that a spreadsheet takes for text: one that begins like a
// formula gets an apostrophe before it, as spreadsheets write it. Numbers are none.
func noFormula(cell string) string {
	if cell == "" || !strings.Contains("=+-@\t\r", cell[:1]) {
		return printable(cell)
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + printable(cell)
}

// phaseSum is the time of a phase over all workers and the parent.
func phaseSum(r compare.Run, p compare.Phase) (sum compare.Maybe[float64]) {
	for _, w := range lanes(r) {
		if s, ok := w.Seconds(p).Get(); ok {
			before, _ := sum.Get()
			sum = compare.Known(before + s)
		}
	}
	return sum
}
