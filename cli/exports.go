package cli

import (
	"bytes"
	"io"

	"procpool/compare"
	"procpool/compare/report"
)

// A format is one in which the report of an experiment can be exported.
type format struct {
	name, means string
	render      func(io.Writer, compare.Record) error
}

var formats = [...]format{
	{"json", "the whole record in JSON", report.JSON},
	{"csv", "a table of all runs", report.CSV},
	{"markdown", "Markdown", report.Markdown},
	{"html", "one HTML page with pictures", report.HTML},
	{"gobench", "Go benchmarks for benchstat", report.Gobench},
	{"trace", "timelines for Perfetto or chrome://tracing", report.Trace},
}

// An export is a format on its way to a file, or to stdout: "-".
type export struct {
	format
	path string
}

func readExports(c *call) (out []export, err error) {
	for _, f := range formats {
		flag := "export-" + f.name
		if !c.IsSet(flag) {
			continue
		}
		x := export{f, c.String(flag)}
		if x.path != "-" {
			if err := canWrite("--"+flag, x.path); err != nil {
				return nil, err
			}
		}
		out = append(out, x)
	}
	if c.Bool("json") {
		out = append(out, export{formats[0], "-"})
	}
	stdout := 0
	for _, x := range out {
		if x.path == "-" {
			stdout++
		}
	}
	if stdout > 1 {
		return nil, usage("more than one export to stdout: name files for all but one")
	}
	return out, nil
}

func onStdout(exports []export) bool {
	for _, x := range exports {
		if x.path == "-" {
			return true
		}
	}
	return false
}

func (x export) write(rec compare.Record, stdout io.Writer) error {
	render := func(w io.Writer) error { return x.render(w, rec) }
	if x.path != "-" {
		return writeFile(x.path, "the report", render)
	}
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	_, err := stdout.Write(b.Bytes())
	return writing("the report", err)
}
