package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// arrange puts a command's flags before its arguments, where the library wants
// them, and refuses flags that do not exist, wherever they stand: the library
// would take them for arguments.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	name := args[1]
	if strings.HasPrefix(name, "-") {
		if name == "--version" || name == "--help" || name == "-h" {
			return args[:2], nil
		}
		return nil, unknownFlag(name, app.Name, []string{"--help", "--version"})
	}
	command := app.Command(name)
	if command == nil {
		if name == "help" || name == "h" {
			return arrangeHelp(app, args)
		}
		return nil, unknownCommand(app, name)
	}
	flags, positional, err := split(command, args[2:])
	if err != nil {
		return nil, err
	}
	out := append([]string{args[0], name}, flags...)
	return append(append(out, "--"), positional...), nil
}

// arrangeHelp lets 'help COMMAND' be 'COMMAND --help'.
func arrangeHelp(app *cli.App, args []string) ([]string, error) {
	if len(args) == 2 {
		return []string{args[0], "--help"}, nil
	}
	if app.Command(args[2]) == nil {
		return nil, unknownCommand(app, args[2])
	}
	return []string{args[0], args[2], "--help"}, nil
}

// split tells a command's flags, with their values, from its arguments.
func split(command *cli.Command, args []string) (flags, positional []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, append(positional, args[i+1:]...), nil
		case !strings.HasPrefix(arg, "-") || arg == "-" || looksNegative(arg):
			positional = append(positional, arg)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		flag := findFlag(command, name)
		if flag == nil {
			return nil, nil, unknownFlag(arg, "procpool "+command.Name, flagNames(command))
		}
		flags = append(flags, arg)
		if _, isToggle := flag.(*toggleFlag); isToggle {
			if _, err := strconv.ParseBool(value); hasValue && err != nil {
				return nil, nil, usage("%s takes no value, but is given %q", dashed(name), value)
			}
			continue
		}
		if hasValue {
			continue
		}
		if i++; i == len(args) {
			return nil, nil, usage("%s needs a value", arg)
		}
		flags = append(flags, args[i])
	}
	return flags, positional, nil
}

// looksNegative reports whether arg is meant as a negative number.
func looksNegative(arg string) bool {
	return len(arg) > 1 && (arg[1] >= '0' && arg[1] <= '9' || arg[1] == '.')
}

func findFlag(command *cli.Command, name string) cli.Flag {
	for _, f := range command.Flags {
		for _, n := range f.Names() {
			if n == name {
				return f
			}
		}
	}
	return nil
}

func flagNames(command *cli.Command) []string {
	var names []string
	for _, f := range command.Flags {
		for _, n := range f.Names() {
			names = append(names, dashed(n))
		}
	}
	return names
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func unknownFlag(arg, command string, known []string) error {
	name, _, _ := strings.Cut(arg, "=")
	hint := fmt.Sprintf("'%s --help' lists the flags", command)
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return usageHint("unknown flag "+name, hint)
}

func unknownCommand(app *cli.App, name string) error {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Name)
	}
	hint := "the commands are " + strings.Join(names, ", ")
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return usageHint(fmt.Sprintf("unknown command %q", name), hint)
}

// nearest is the one of known that is most like word, or "" if none is much
// like it. Most slips spare the first letter.
func nearest(word string, known []string) string {
	best, score := "", 0.6
	word = strings.TrimLeft(word, "-")
	for _, k := range known {
		plain := strings.TrimLeft(k, "-")
		if word == "" || plain[0] != word[0] {
			continue
		}
		if s := smetrics.JaroWinkler(plain, word, 0.7, 4); s > score {
			best, score = k, s
		}
	}
	return best
}
