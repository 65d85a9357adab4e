package cli

import (
	"fmt"
	"strings"
)

func completionCommand() *command {
	return &command{
		name:    "completion",
		summary: "print a script that completes commands and flags in a shell",
		args:    "bash|zsh|fish",
		description: "Prints the script for one shell, made from the commands and flags that this program has.\n\n" +
			"bash: put 'source <(procpool completion bash)' into ~/.bashrc. " +
			"zsh: write it to a file _procpool in a folder of $fpath. " +
			"fish: write it to ~/.config/fish/completions/procpool.fish.",
		example:  "source <(procpool completion bash)",
		operands: func() []string { return []string{"bash", "zsh", "fish"} },
		do:       completion,
	}
}

func completion(c *call, e *env) error {
	if len(c.args) != 1 {
		return usageHint("completion needs the name of one shell", "procpool completion bash")
	}
	switch shell := c.args[0]; shell {
	case "bash":
		return e.print("the script", bashCompletion())
	case "zsh":
		return e.print("the script", zshCompletion())
	case "fish":
		return e.print("the script", fishCompletion())
	default:
		return usageHint(fmt.Sprintf("there is no completion for %q", shell), "the shells are bash, zsh, fish")
	}
}

func commandNames() []string {
	var names []string
	for _, cmd := range commands() {
		names = append(names, cmd.name)
	}
	return names
}

// completable are the operands that a shell can complete, and whether they are files.
func (cmd *command) completable() (words []string, files bool) {
	if cmd.operands == nil {
		return nil, strings.HasPrefix(cmd.args, "JOURNAL")
	}
	return cmd.operands(), false
}

// bashCompletion needs nothing but bash 4.
func bashCompletion() string {
	var b strings.Builder
	names := strings.Join(commandNames(), " ")
	fmt.Fprintf(&b, `# bash completion of procpool, by 'procpool completion bash'
_procpool() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
	if [ "$cur" = = ]; then # bash takes --flag=value for three words
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W '%s help --help --version' -- "$cur"))
		return
	fi
	case "${COMP_WORDS[1]} $prev" in
	'help help') words='%s' ;;
`, names, names)
	for _, cmd := range commands() {
		var others []string // flags whose values cannot be completed
		for _, f := range cmd.allFlags() {
			pattern := "'" + cmd.name + " " + dashed(f.name) + "'"
			if f.letter != "" {
				pattern += "|'" + cmd.name + " " + dashed(f.letter) + "'"
			}
			switch {
			case f.toggle:
			case f.isFile:
				fmt.Fprintf(&b, "\t%s) compopt -o default; return ;;\n", pattern)
			case f.choices != nil:
				fmt.Fprintf(&b, "\t%s) words='%s' ;;\n", pattern, strings.Join(f.choices(), " "))
			default:
				others = append(others, pattern)
			}
		}
		if len(others) > 0 {
			fmt.Fprintf(&b, "\t%s) return ;;\n", strings.Join(others, "|"))
		}
	}
	b.WriteString("\t*)\n\t\tcase \"${COMP_WORDS[1]}\" in\n")
	for _, cmd := range commands() {
		operands, files := cmd.completable()
		words := operands
		for _, f := range cmd.allFlags() {
			words = append(words, dashed(f.name))
		}
		action := ""
		if files {
			action = ` [[ $cur == -* ]] || compopt -o default;`
		}
		fmt.Fprintf(&b, "\t\t%s)%s words='%s' ;;\n", cmd.name, action, strings.Join(words, " "))
	}
	b.WriteString("\t\tesac ;;\n\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _procpool procpool\n")
	return b.String()
}

func zshCompletion() string {
	var b strings.Builder
	b.WriteString("#compdef procpool\n# zsh completion of procpool, by 'procpool completion zsh'\n_procpool() {\n\tlocal -a commands\n\tcommands=(\n")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "\t\t%s\n", quoteShell(cmd.name+":"+cmd.summary))
	}
	b.WriteString("\t\t'help:explain a command'\n\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe -t commands command commands\n\t\treturn\n\tfi\n" +
		"\tlocal name=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $name in\n\thelp) _describe -t commands command commands ;;\n")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "\t%s)\n\t\t_arguments -S", cmd.name)
		for _, f := range cmd.allFlags() {
			b.WriteString(" \\\n\t\t\t" + zshFlag(f))
		}
		words, files := cmd.completable()
		switch {
		case files:
			b.WriteString(" \\\n\t\t\t'*:file:_files'")
		case len(words) > 0:
			fmt.Fprintf(&b, " \\\n\t\t\t'*:%s:(%s)'", strings.ToLower(strings.Trim(cmd.args, "[].")), strings.Join(words, " "))
		case cmd.args != "":
			fmt.Fprintf(&b, " \\\n\t\t\t'*:%s: '", cmd.args)
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("\tesac\n}\nif [ \"$funcstack[1]\" = _procpool ]; then\n\t_procpool \"$@\"\nelse\n\tcompdef _procpool procpool\nfi\n")
	return b.String()
}

// zshFlag is a flag as _arguments wants it.
func zshFlag(f flag) string {
	usage := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(f.explained())
	spec := "[" + usage + "]"
	switch {
	case f.toggle:
	case f.isFile:
		spec += ":file:_files"
	default:
		var values []string
		if f.choices != nil {
			values = f.choices()
		}
		spec += ":" + strings.NewReplacer(":", "", "'", "").Replace(f.placeholder()) + ":(" + strings.Join(values, " ") + ")"
	}
	equals := "="
	if f.toggle {
		equals = ""
	}
	if f.letter == "" {
		return quoteShell(dashed(f.name) + equals + spec)
	}
	both := "(" + dashed(f.letter) + " " + dashed(f.name) + ")"
	return quoteShell(both+dashed(f.letter)+spec) + " \\\n\t\t\t" + quoteShell(both+dashed(f.name)+equals+spec)
}

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion of procpool, by 'procpool completion fish'\ncomplete -c procpool -f\n")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "complete -c procpool -n __fish_use_subcommand -a %s -d %s\n", cmd.name, quoteFish(cmd.summary))
	}
	fmt.Fprintf(&b, "complete -c procpool -n __fish_use_subcommand -a help -d 'explain a command'\n"+
		"complete -c procpool -n __fish_use_subcommand -l help -s h -d 'list the commands'\n"+
		"complete -c procpool -n __fish_use_subcommand -l version -d 'print the version'\n"+
		"complete -c procpool -n '__fish_seen_subcommand_from help' -a '%s'\n", strings.Join(commandNames(), " "))
	for _, cmd := range commands() {
		where := "complete -c procpool -n '__fish_seen_subcommand_from " + cmd.name + "; and not __fish_seen_subcommand_from help'"
		for _, f := range cmd.allFlags() {
			fmt.Fprintf(&b, "%s -l %s", where, f.name)
			if f.letter != "" {
				fmt.Fprintf(&b, " -s %s", f.letter)
			}
			switch {
			case f.toggle:
			case f.isFile:
				b.WriteString(" -r -F")
			case f.choices != nil:
				fmt.Fprintf(&b, " -x -a '%s'", strings.Join(f.choices(), " "))
			default:
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", quoteFish(f.explained()))
		}
		words, files := cmd.completable()
		switch {
		case files:
			fmt.Fprintf(&b, "%s -F\n", where)
		case len(words) > 0:
			fmt.Fprintf(&b, "%s -a '%s'\n", where, strings.Join(words, " "))
		}
	}
	return b.String()
}

func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
