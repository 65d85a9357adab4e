package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// print writes the report to standard output.
func (b *bench) print(machine string, rows []row) {
	fmt.Println("| what | procpool | peer | ratio | goal | met |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, r := range rows {
		fmt.Println(r)
	}
	fmt.Printf("\nMedian [least .. most] of the rounds; a ratio is the median of the rounds' ratios. %s\n", machine)
	fmt.Printf("Load when it ended: %s; it took %v.\n", load(), time.Since(b.begin).Round(time.Second))
	for _, n := range b.notes {
		fmt.Println("Not measured:", n)
	}
	fmt.Println("\nThe commands:")
	for _, c := range b.commands {
		fmt.Printf("\n    %s", strings.NewReplacer(b.dir+"/", "", "testdata/peers/", "").Replace(c))
	}
	fmt.Println()
}

// String is the row as a line of a Markdown table.
func (r row) String() string {
	if r.text != nil {
		return fmt.Sprintf("| %s | %s | %s | %s | %v | %s |", r.what, r.text.ours, r.text.peer, r.text.ratio, r.goal, r.goal.verdict(r.text.value))
	}
	ours := spread(r.ours.samples, r.unit)
	if r.peer == nil {
		return fmt.Sprintf("| %s | %s | | | %v %s | %s |", r.what, ours, r.goal, r.unit, r.goal.verdict(median(r.ours.samples)))
	}
	ratio := r.ratio
	if ratio == nil {
		ratio = func(ours, peer float64) float64 { return ours / peer }
	}
	var ratios []float64
	for i := range min(len(r.ours.samples), len(r.peer.samples)) {
		ratios = append(ratios, ratio(r.ours.samples[i], r.peer.samples[i]))
	}
	return fmt.Sprintf("| %s | %s | %s: %s | %s | %v | %s |", r.what, ours,
		r.peer.name, spread(r.peer.samples, r.unit), spread(ratios, ""), r.goal, r.goal.verdict(median(ratios)))
}

// spread is a median with the least and the most.
func spread(xs []float64, unit string) string {
	if unit != "" {
		unit = " " + unit
	}
	return fmt.Sprintf("%s%s [%s .. %s]", figure(median(xs)), unit, figure(slices.Min(xs)), figure(slices.Max(xs)))
}

// figure prints three digits, and whole numbers beyond that.
func figure(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// describeMachine says what the figures were measured on.
func describeMachine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.Trim(line, " \t:")
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, %d CPUs, %s %s, %s, %s; load when it began: %s.", model, runtime.NumCPU(),
		runtime.GOOS, strings.TrimSpace(string(release)), runtime.Version(), time.Now().Format("2006-01-02"), load())
}

// load is how many processes wanted a CPU in the last 1, 5 and 15 minutes: what
// is more than this program's own is noise in all figures.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], ", ")
}
