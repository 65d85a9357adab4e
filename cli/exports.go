package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"procpool/compare"
	"procpool/compare/report"
)

// A format is one in which the report of an experiment can be exported.
type format struct {
	name, means string
	render      func(io.Writer, compare.Record) error
}

var formats = [...]format{
	{"json", "the whole record in JSON, which --from reads", compare.Write},
	{"html", "one HTML page with pictures", report.HTML},
	{"gobench", "Go benchmarks for benchstat", report.Gobench},
}

// An export is a format that goes to a file, or to stdout: "-".
type export struct {
	format
	path string
}

func exportFlags() (flags []cli.Flag) {
	for _, f := range formats {
		flags = append(flags, &cli.PathFlag{Category: categoryOutput, Name: "export-" + f.name, Usage: "write the report as " + f.means + " to `FILE`; - is stdout, in place of the table"})
	}
	return flags
}

func readExports(c *cli.Context, json bool) (out []export, err error) {
	for _, f := range formats {
		flag := "export-" + f.name
		if !c.IsSet(flag) {
			continue
		}
		x := export{f, c.Path(flag)}
		if x.path != "-" {
			if err := canWrite("--"+flag, x.path); err != nil {
				return nil, err
			}
		}
		out = append(out, x)
	}
	if json {
		out = append(out, export{formats[0], "-"})
	}
	first := slices.IndexFunc(out, export.toStdout)
	if first >= 0 && slices.ContainsFunc(out[first+1:], export.toStdout) {
		return nil, usage("more than one export to stdout: name files for all but one")
	}
	return out, nil
}

func (x export) toStdout() bool { return x.path == "-" }

func (p *program) export(x export, rec compare.Record) error {
	render := func(w io.Writer) error { return x.render(w, rec) }
	if !x.toStdout() {
		return writeFile(x.path, "the report", render)
	}
	var b strings.Builder
	if err := render(&b); err != nil {
		return err
	}
	return p.print("the report", b.String())
}
