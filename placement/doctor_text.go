package placement

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"procpool/internal/text"
)

// WriteText prints d on one screen of 80 columns.
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
	if len(d.Quotas) == 0 { // otherwise the limits show them
		t.row("CPU quota", "none")
	}
	if th := d.Throttling; th == nil {
		t.row("throttled", "unavailable")
	} else {
		t.row("throttled", fmt.Sprintf("%d periods, %.3g s", th.Periods, th.Seconds))
	}
	d.memoryRows(&t)
	for i, l := range d.Threads {
		t.row(first(i, "threads"), fmt.Sprintf("%d at most by %s, %d in use", l.Max, l.Source, l.Used))
	}
	if len(d.Threads) == 0 {
		t.row("threads", "no limit")
	}
	var variables []string
	for _, v := range d.Variables {
		variables = append(variables, v.Name+"="+v.Value)
	}
	t.row("variables", strings.Join(variables, " "))
	t.row("share", d.Share)
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
	bytesOr := func(n *int64, unknown string) string {
		if n == nil {
			return unknown
		}
		return text.Bytes(float64(*n))
	}
	t.row("memory", bytesOr(d.Memory.Total, "unknown")+" in total", bytesOr(d.Memory.Available, "unknown")+" available")
	if l, ok := d.Memory.least(); ok {
		t.row("", fmt.Sprintf("cgroup limit %s by %s", text.Bytes(float64(l.Bytes)), l.Path))
	}
	t.row("addresses", bytesOr(d.Memory.AddressSpace, "no limit"))
	if d.OOMKills != nil {
		t.row("OOM kills", fmt.Sprintf("%d in this cgroup", *d.OOMKills))
	} else {
		t.row("OOM kills", "unavailable")
	}
}

// String returns the summary in words: "4 hardware threads, 2 cores, ...".
func (s Summary) String() string {
	return strings.Join([]string{text.Plural(int64(s.CPUs), "hardware thread"), text.Plural(int64(s.Cores), "core"),
		text.Plural(int64(s.Sockets), "socket"), text.Plural(int64(s.Nodes), "NUMA node")}, ", ")
}

// prefixed returns prefix + s, or "" if s is empty.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// first returns label for the first of several rows and "" for the others.
func first(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// A table is text in rows of a label and a value, wrapped to 80 columns.
type table struct{ strings.Builder }

// row adds a row with the parts that are not empty, separated by commas. It adds
// nothing if all of them are empty.
func (t *table) row(label string, parts ...string) {
	const indent, width = 12, 80
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	for line := range text.Wrap(strings.Join(parts, ", "), width-indent) {
		fmt.Fprintf(t, "%-*s%s\n", indent, label, line)
		label = ""
	}
}
