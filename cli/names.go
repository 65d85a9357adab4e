package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

// filesFlag reads names from a file, for more journals than fit on a command line.
func filesFlag(to *string) cli.Flag {
	return &cli.PathFlag{Category: categoryBatch, Name: "files0-from", Destination: to, Usage: "read the names of the journals, each ended by a NUL byte, from `FILE`; - is stdin"}
}

// journalNames returns the journals that a command line names: its operands, or those in
// the file of --files0-from.
func (p *program) journalNames(c *cli.Context, from string) ([]string, error) {
	names := c.Args().Slice()
	switch {
	case !c.IsSet("files0-from"):
		return names, nil
	case len(names) > 0:
		return nil, usage("--files0-from %s names the journals, but there is %q too", from, names[0])
	}
	data, err := readNames(from)
	if err != nil {
		return nil, badInput(fmt.Errorf("--files0-from %s: %w", from, plainError(err)))
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(data), "\x00"), "\x00") {
		if name == "" && len(data) > 0 {
			return nil, usage("--files0-from %s: name %d is empty", from, len(names)+1)
		}
		if len(data) > 0 {
			names = append(names, name)
		}
	}
	return names, nil
}

func readNames(from string) ([]byte, error) {
	if from == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(from)
}
