package cli

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The scripts ask the program itself what to offer, by its hidden command complete.
// In them NAME is the program's name, and FUNC that of a shell function.
//
//go:embed completion.bash completion.zsh completion.fish
var completionScripts embed.FS

const shells = "bash|zsh|fish"

func (p *program) completionCommand() *cli.Command {
	about := `Prints the script for one shell. It asks the program what to offer, so one script serves every version.

bash: put 'source <(NAME completion bash)' into ~/.bashrc. zsh: write it to a file _NAME in a folder of $fpath. fish: write it to ~/.config/fish/completions/NAME.fish.`
	return &cli.Command{
		Name: "completion", ArgsUsage: shells,
		Usage:       "print a script that completes commands and flags in a shell",
		Description: strings.ReplaceAll(about, "NAME", p.Name), UsageText: "source <(" + p.Name + " completion bash)",
		Action: p.completion,
	}
}

func (p *program) completion(c *cli.Context) error {
	if c.NArg() != 1 {
		return usageHint("completion needs the name of one shell", p.Name+" completion bash")
	}
	script, err := completionScripts.ReadFile("completion." + c.Args().First())
	if err != nil {
		return usageHint(fmt.Sprintf("there is no completion for %q", c.Args().First()), "the shells are "+strings.ReplaceAll(shells, "|", ", "))
	}
	function := "_" + strings.NewReplacer("-", "_", ".", "_").Replace(p.Name)
	return p.print("the script", strings.NewReplacer("NAME", p.Name, "FUNC", function).Replace(string(script)))
}

// completeCommand serves the completion scripts, which call it with the words typed so
// far; the last word is unfinished. It prints one offer a line, with an explanation after
// a tab; ":files" makes the script offer file names.
func (p *program) completeCommand() *cli.Command {
	return &cli.Command{
		Name: "complete", Usage: "print what a shell can offer", Hidden: true, ArgsUsage: "WORD...", UsageText: p.Name + " complete run --ta",
		Action: func(c *cli.Context) error {
			return p.print("the offers", strings.Join(append(offers(c.App, c.Args().Slice()), ""), "\n"))
		},
	}
}

func offers(app *cli.App, words []string) (all []string) {
	before, typed := words, ""
	if last := len(words) - 1; last >= 0 {
		before, typed = slices.DeleteFunc(words[:last], func(word string) bool { return word == "=" }), words[last] // bash takes --flag=value apart
	}
	if len(before) == 0 || before[0] == "help" {
		for _, cmd := range app.VisibleCommands() {
			all = append(all, cmd.Name+"\t"+cmd.Usage)
		}
		return append(all, "help\texplain a command", "--help\tlist the commands", "--version\tprint the version")
	}
	cmd := app.Command(before[0])
	if cmd == nil {
		return nil
	}
	last := before[len(before)-1]
	name, _, joined := strings.Cut(typed, "=")
	for _, t := range flagTexts(cmd) {
		switch {
		case t.Value != "" && (last == "--"+t.Name || last == "-"+t.Letter && last != "-"):
			return t.Words
		case joined && name == "--"+t.Name:
			for _, word := range t.Words {
				all = append(all, name+"="+word)
			}
			return all
		}
		all = append(all, "--"+t.Name+"\t"+t.Usage)
	}
	switch {
	case strings.HasPrefix(typed, "-"):
	case cmd.ArgsUsage == "JOURNAL...":
		return []string{":files"}
	case cmd.ArgsUsage == "[TASK...]":
		return taskNames()
	case cmd.ArgsUsage == shells:
		return strings.Split(shells, "|")
	}
	return all
}
