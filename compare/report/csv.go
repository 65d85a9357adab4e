package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"procpool/compare"
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
		c := rec.Plan.Cells[r.Cell]
		line := []string{strconv.Itoa(r.Round), strconv.Itoa(r.Position), float(r.Start), c.Task, string(c.Backend), strconv.Itoa(c.Workers),
			string(c.Ablation), strconv.FormatBool(c.Control), strconv.FormatInt(c.Interval.Start, 10), strconv.FormatInt(c.Interval.End, 10), strconv.FormatInt(c.ChunkSize, 10),
			float(r.Wall), optional(r.Parent.CPUSeconds), optional(summed(r.Workers, cpuSeconds)),
			optional(r.Parent.PeakRSSBytes), optional(summed(r.Workers, peakRSS)),
			r.Value.Text, r.Value.Bits, strings.Join(r.Flags, " ")}
		for _, p := range compare.Phases() {
			line = append(line, phaseSum(r, p))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func float(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func optional(m compare.Maybe[float64]) string {
	if v, ok := m.Get(); ok {
		return float(v)
	}
	return ""
}

func cpuSeconds(u compare.Resources) compare.Maybe[float64] { return u.CPUSeconds }
func peakRSS(u compare.Resources) compare.Maybe[float64]    { return u.PeakRSSBytes }

// summed is unavailable unless every worker has the figure.
func summed(workers []compare.WorkerRun, of func(compare.Resources) compare.Maybe[float64]) compare.Maybe[float64] {
	sum := 0.0
	for _, w := range workers {
		v, ok := of(w.Resources).Get()
		if !ok {
			return compare.Maybe[float64]{}
		}
		sum += v
	}
	if len(workers) == 0 {
		return compare.Maybe[float64]{}
	}
	return compare.Known(sum)
}

// phaseSum is the time of a phase over all workers and the parent.
func phaseSum(r compare.Run, p compare.Phase) string {
	sum, found := 0.0, false
	add := func(w compare.WorkerRun) {
		for _, t := range w.Phases {
			if t.Phase == p {
				sum, found = sum+t.Seconds, true
			}
		}
	}
	add(r.Parent)
	for _, w := range r.Workers {
		add(w)
	}
	if !found {
		return ""
	}
	return float(sum)
}
