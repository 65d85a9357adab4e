package cli

import (
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version", Hidden: true,
		Description: "Prints the version, as --version does.",
		UsageText:   p.Name + " version",
		Before:      takesNothing,
		Action:      func(*cli.Context) error { return p.print("the version", p.Name+" "+p.Version+"\n") },
	}
}

// buildVersion returns what the Go command recorded: the module's version or the
// tag of the checkout, and how far a checkout is from it.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// commitDate returns the day of the commit that the program was built from, or "".
func commitDate() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" && len(s.Value) >= len("2006-01-02") {
			return s.Value[:len("2006-01-02")]
		}
	}
	return ""
}
