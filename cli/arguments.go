package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// arrange rewrites a command line for urfave/cli, whose parser stops at the first
// operand: flags come first, as --name=value, then "--" and the operands.
// It refuses unknown commands and flags and missing values itself, to suggest a correction,
// which the library's errors do not.
func (p *program) arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, usageHint("a command is missing", fmt.Sprintf("'%s help' lists the commands; '%[1]s run 100000000' computes a task", p.Name))
	}
	name := args[0]
	if word := strings.TrimLeft(name, "-"); word == "h" || word == "help" || word == "version" {
		name = word // also as --help, -h, -help
	}
	cmd := app.Command(name)
	switch {
	case strings.HasPrefix(name, "-"):
		return nil, p.unknownProgramFlag(app, name)
	case cmd == nil:
		return nil, p.unknownCommand(app, name)
	}
	if name == "complete" { // its words are another command line
		return slices.Concat([]string{p.Name, name, "--"}, args[1:]), nil
	}
	flags, operands, err := p.split(cmd, args[1:])
	if err != nil {
		return nil, err
	}
	if slices.Contains(flags, "--help=true") {
		return []string{p.Name, "help", cmd.Name}, nil
	}
	return slices.Concat([]string{p.Name, cmd.Name}, flags, []string{"--"}, operands), nil
}

// split separates flags from operands. Flags may stand anywhere before a "--".
func (p *program) split(cmd *cli.Command, args []string) (flags, operands []string, err error) {
	known := map[string]cli.DocGenerationFlag{}
	for _, f := range cmd.Flags {
		for _, name := range f.Names() {
			known[name] = f.(cli.DocGenerationFlag)
		}
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			if cmd.Name == "exec" { // it tells INTERVALS from the command
				operands = append(operands, arg)
			}
			return flags, append(operands, args...), nil
		case !strings.HasPrefix(arg, "-") || arg == "-" || strings.ContainsRune(".0123456789", rune(arg[1])):
			operands = append(operands, arg)
			continue
		}
		for _, word := range cluster(known, arg) {
			name, value, hasValue := strings.Cut(word, "=")
			f := known[name]
			switch {
			case f == nil && cmd.Name == "exec" && len(operands) > 0 && !slices.Contains(args, "--"):
				return nil, nil, noDashes(p.Name + " exec 1e6 -- ./count.sh")
			case f == nil:
				return nil, nil, unknownFlag(arg, p.Name+" "+cmd.Name, cmd.VisibleFlags()...)
			case !f.TakesValue():
				on, err := strconv.ParseBool(value)
				if hasValue && err != nil {
					return nil, nil, usage("%s takes no value, but was given %q", dashed(name), value)
				}
				value = strconv.FormatBool(on || !hasValue)
			case !hasValue && len(args) == 0:
				return nil, nil, usage("%s needs a value", dashed(name))
			case !hasValue:
				value, args = args[0], args[1:]
			}
			flags = append(flags, "--"+f.Names()[0]+"="+value)
		}
	}
	return flags, operands, nil
}

// cluster splits -vn4 into its flags: letters without a value, then at most one letter
// whose value is the rest or the next argument.
func cluster(known map[string]cli.DocGenerationFlag, arg string) (words []string) {
	whole := strings.TrimLeft(arg, "-")
	name, _, _ := strings.Cut(whole, "=")
	if strings.HasPrefix(arg, "--") || known[name] != nil {
		return []string{whole}
	}
	for i, letter := range whole {
		f, rest := known[string(letter)], whole[i+len(string(letter)):]
		if f == nil {
			return []string{whole}
		}
		if f.TakesValue() && rest != "" {
			return append(words, string(letter)+"="+strings.TrimPrefix(rest, "="))
		}
		words = append(words, string(letter))
	}
	return words
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func (p *program) unknownCommand(app *cli.App, name string) error {
	var names []string
	for _, cmd := range app.VisibleCommands() {
		names = append(names, cmd.Name)
	}
	hint := "the commands are " + strings.Join(names, ", ")
	if _, err := parseIndex(name); err == nil {
		hint = fmt.Sprintf("did you mean '%s run %s'? %s", p.Name, name, hint)
	}
	return usageHint(fmt.Sprintf("unknown command %q", name), didYouMean(strings.ToLower(name), append(names, "help", "version"), hint))
}

// unknownProgramFlag also recognises a flag that should stand behind a command.
func (p *program) unknownProgramFlag(app *cli.App, arg string) error {
	for _, cmd := range app.VisibleCommands() {
		if flags, _, _ := p.split(cmd, []string{arg, ""}); len(flags) > 0 && arg != "-v" {
			return usageHint(arg+" stands before the command", fmt.Sprintf("put it after the command: %s %s %s", p.Name, cmd.Name, arg))
		}
	}
	if arg == "-v" { // of most programs
		return usageHint("unknown flag -v", "did you mean --version?")
	}
	return unknownFlag(arg, p.Name, &cli.BoolFlag{Name: "help"}, &cli.BoolFlag{Name: "version"})
}

func unknownFlag(arg, command string, flags ...cli.Flag) error {
	name, _, _ := strings.Cut(arg, "=")
	var known []string
	for _, f := range flags {
		known = append(known, dashed(f.Names()[0]))
	}
	return usageHint("unknown flag "+name, didYouMean(name, known, fmt.Sprintf("'%s --help' lists the flags", command)))
}

// didYouMean puts before hint the known word that is most similar to word, if any is
// similar enough. The first letters must be equal, because most typing errors come later,
// and word must have two letters, because one says too little.
func didYouMean(word string, known []string, hint string) string {
	near, score := "", 0.6
	bare := strings.TrimLeft(word, "-")
	for _, k := range known {
		plain := strings.TrimLeft(k, "-")
		if len(bare) < 2 || plain[0] != bare[0] {
			continue
		}
		if s := smetrics.JaroWinkler(plain, bare, 0.7, 4); s > score {
			near, score = k, s
		}
	}
	switch {
	case near == "":
		return hint
	case near[0] != '-':
		near = strconv.Quote(near)
	}
	return fmt.Sprintf("did you mean %s? %s", near, hint)
}
