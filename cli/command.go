package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// The command line is read here and not by a library, because every worker is
// this program again: what a library adds to it, each of them initialises and
// maps (docs/architecture.md has the figures).

// A command is one of procpool's.
type command struct {
	name        string
	args        string // as usage lines name them; "" if it takes none
	summary     string // in one line
	description string
	example     string
	operands    func() []string // what a shell can complete args to; nil: nothing, or files
	flags       func() []flag   // called for the command that runs, and by what explains commands
	do          func(c *call, e *env) error
}

// A flag is one of a command's. Its value is text, which the one function reads
// that knows how.
type flag struct {
	group   string
	name    string
	letter  string          // its short form, or ""
	value   string          // of a flag that is not given
	usage   string          // with back quotes around the name of the value
	toggle  bool            // takes no value
	choices func() []string // values that a shell can complete, or nil
	isFile  bool            // the value is a path
}

func text(group, name, letter, value, usage string) flag {
	return flag{group: group, name: name, letter: letter, value: value, usage: usage}
}

func toggle(group, name, letter, usage string) flag {
	return flag{group: group, name: name, letter: letter, usage: usage, toggle: true}
}

// file is a flag whose value is a path.
func file(group, name, usage string) flag {
	return flag{group: group, name: name, usage: usage, isFile: true}
}

// oneOf names values that a shell can complete; there may be others.
func (f flag) oneOf(values ...string) flag {
	f.choices = func() []string { return values }
	return f
}

// from is oneOf for values that are not looked up until a shell asks.
func (f flag) from(values func() []string) flag {
	f.choices = values
	return f
}

// placeholder is the name of the flag's value in help texts; "" for toggles.
func (f flag) placeholder() string {
	_, name, _ := strings.Cut(f.usage, "`")
	name, _, _ = strings.Cut(name, "`")
	return name
}

// allFlags are the command's with the one that every command has.
func (cmd *command) allFlags() []flag {
	var flags []flag
	if cmd.flags != nil {
		flags = cmd.flags()
	}
	return append(flags, toggle(groupOutput, "help", "h", "show this help"))
}

// A call is a command line that was read.
type call struct {
	command *command
	args    []string // what is no flag, in order
	flags   []flag
	given   map[string]string // by flag; of toggles "true" or "false"
}

// IsSet reports whether the flag was given.
func (c *call) IsSet(name string) bool {
	_, set := c.given[name]
	return set
}

// String is the value of the flag, given or not. The flag must be the command's.
func (c *call) String(name string) string {
	if value, set := c.given[name]; set {
		return value
	}
	for _, f := range c.flags {
		if f.name == name {
			return f.value
		}
	}
	panic("cli: " + c.command.name + " has no flag --" + name)
}

// Bool reports whether the toggle is on.
func (c *call) Bool(name string) bool { return c.String(name) == "true" }

// read reads what follows the command's name. Flags may stand anywhere before a
// "--"; of one that is given twice the last holds.
func (cmd *command) read(args []string) (*call, error) {
	c := &call{command: cmd, flags: cmd.allFlags(), given: map[string]string{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			c.args = append(c.args, args[i+1:]...)
			return c, nil
		case !strings.HasPrefix(arg, "-") || arg == "-" || looksNegative(arg):
			c.args = append(c.args, arg)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		f := c.find(name)
		switch {
		case f == nil:
			return nil, unknownFlag(arg, "procpool "+cmd.name, c.flags)
		case f.toggle:
			on, err := strconv.ParseBool(value)
			if hasValue && err != nil {
				return nil, usage("%s takes no value, but is given %q", dashed(name), value)
			}
			value = strconv.FormatBool(on || !hasValue)
		case !hasValue:
			if i++; i == len(args) {
				return nil, usage("%s needs a value", arg)
			}
			value = args[i]
		}
		c.given[f.name] = value
	}
	return c, nil
}

// find is the flag of that name or letter, or nil.
func (c *call) find(name string) *flag {
	for i, f := range c.flags {
		if name != "" && (name == f.name || name == f.letter) {
			return &c.flags[i]
		}
	}
	return nil
}

// takesNothing refuses arguments.
func (c *call) takesNothing() error {
	if len(c.args) > 0 {
		return usage("%s takes no arguments, but there is %q", c.command.name, c.args[0])
	}
	return nil
}

// looksNegative reports whether arg is meant as a negative number.
func looksNegative(arg string) bool {
	return len(arg) > 1 && (arg[1] >= '0' && arg[1] <= '9' || arg[1] == '.')
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func unknownFlag(arg, command string, flags []flag) error {
	name, _, _ := strings.Cut(arg, "=")
	var known []string
	for _, f := range flags {
		known = append(known, dashed(f.name))
	}
	hint := fmt.Sprintf("'%s --help' lists the flags", command)
	if f, value := joined(arg, flags); f != nil {
		hint = fmt.Sprintf("did you mean -%s %s? %s", f.letter, value, hint)
	} else if near := nearest(otherName(name), known); near != "" {
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return usageHint("unknown flag "+name, hint)
}

// joined takes -n4 apart, as other programs write -n 4.
func joined(arg string, flags []flag) (*flag, string) {
	for i, f := range flags {
		if value, ok := strings.CutPrefix(arg, "-"+f.letter); ok && f.letter != "" && !f.toggle && looksNegative("-"+value) {
			return &flags[i], value
		}
	}
	return nil, ""
}

// otherName is what a flag of one command is called by another that means
// nearly the same, so that it is not taken for a flag that only looks like it.
func otherName(name string) string {
	switch strings.TrimLeft(name, "-") {
	case "procs":
		return "workers"
	case "workers", "jobs", "processes":
		return "procs"
	case "backend":
		return "backends"
	}
	return name
}
