package placement

import (
	"fmt"
	"io"
	"iter"
	"strings"
)

// WriteText prints d for people: one screen of 80 columns.
func (d Doctor) WriteText(w io.Writer) error {
	var t table
	t.row("system", d.OS+"/"+d.Arch, prefixed("kernel ", d.Kernel))
	t.row("workers", fmt.Sprintf("%d, decided by %s", d.Limits.Procs, d.Limits.DecidedBy))
	for i, l := range d.Limits.All {
		t.row(first(i, "limits"), fmt.Sprintf("%s %d: %s", l.By, l.Procs, l.Source))
	}
	if d.Affinity != nil {
		t.row("usable", "CPUs "+d.Affinity.String(), d.Usable.String())
	}
	t.row("machine", d.Machine.String())
	if len(d.Quotas) == 0 { // otherwise they are among the limits
		t.row("CPU quota", "none")
	}
	if th := d.Throttling; th == nil {
		t.row("throttled", "unavailable")
	} else {
		t.row("throttled", fmt.Sprintf("%d periods, %.3g s", th.Periods, th.Seconds))
	}
	d.memoryRows(&t)
	var variables []string
	for _, v := range d.Variables {
		variables = append(variables, v.Name+"="+v.Value)
	}
	t.row("variables", strings.Join(variables, " "))
	t.row("arithmetic", d.NumericKernel)
	for i, line := range d.Launcher {
		t.row(first(i, "launcher"), line)
	}
	for _, one := range d.Warnings {
		t.row("warning", one.What)
		t.row("", prefixed("hint: ", one.Advice))
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (d Doctor) memoryRows(t *table) {
	known := func(n *int64, otherwise string) string {
		if n == nil {
			return otherwise
		}
		return size(*n)
	}
	t.row("memory", known(d.Memory.Total, "unknown")+" in total", known(d.Memory.Available, "unknown")+" available")
	if l, ok := d.Memory.least(); ok {
		t.row("", fmt.Sprintf("cgroup limit %s by %s", size(l.Bytes), l.Path))
	}
	t.row("addresses", known(d.Memory.AddressSpace, "no limit"))
	if d.OOMKills != nil {
		t.row("OOM kills", fmt.Sprintf("%d in this cgroup", *d.OOMKills))
	} else {
		t.row("OOM kills", "unavailable")
	}
}

// String is the summary in words.
func (s Summary) String() string {
	return strings.Join([]string{counted(s.CPUs, "hardware thread"), counted(s.Cores, "core"),
		counted(s.Sockets, "socket"), counted(s.Nodes, "NUMA node")}, ", ")
}

// counted is a number and its noun: "1 core", "2 cores".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// size prints bytes in the largest binary unit, with three digits.
func size(bytes int64) string {
	value, unit := float64(bytes), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for value >= 1000 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.3g %s", value, units[unit])
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// first labels only the first of several rows.
func first(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// A table is lines of a label and a text, wrapped to 80 columns.
type table struct{ strings.Builder }

// row adds the parts that are not empty, between commas. Nothing to say is no row.
func (t *table) row(label string, parts ...string) {
	const indent, width = 12, 80
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	for line := range wrapped(strings.Join(said, ", "), width-indent) {
		fmt.Fprintf(t, "%-*s%s\n", indent, label, line)
		label = ""
	}
}

// wrapped cuts a text into lines of at most width bytes, behind a blank or a
// comma if there is one, for CPU lists, and otherwise in the middle of a word.
func wrapped(text string, width int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			end := len(text)
			if end > width {
				end = width
				if cut := strings.LastIndexAny(text[:width+1], " ,"); cut > 0 && cut < width {
					end = cut + 1
				}
			}
			if !yield(strings.TrimRight(text[:end], " ")) {
				return
			}
			text = strings.TrimLeft(text[end:], " ")
		}
	}
}
