package cli_test

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completions are command lines as somebody has typed them, the last word
// unfinished, and what a shell must offer, among others, and must not.
var completions = []struct{ line, offers, not string }{
	{"procpool ", "run", "--task"},
	{"procpool comp", "compare", "run"},
	{"procpool run --ta", "--task", "--timeout"},
	{"procpool run --task p", "pi-fast", "null"},
	{"procpool run -t p", "pi-fast", "null"},
	{"procpool run 100 -b ", "goroutines", "--task"},
	{"procpool compare ta", "table", "alloc"},
	{"procpool completion z", "zsh", "bash"},
	{"procpool help do", "doctor", "run"},
	{"procpool merge sh", "share-1.journal", "run"},
	{"procpool merge ", "share-1.journal", "--json"},
	{"procpool merge --j", "--json", "share-1.journal"},
	{"procpool run --task=pi-", "pi-fast", "null"},
	{"procpool run --progress ", "always", "--task"},
	{"procpool run --journal sh", "share-1.journal", "--task"},
}

// Every shell is asked what it would offer. Their scripts ask the program, so that
// what one offers all of them do.
func TestCompletionInShells(t *testing.T) {
	long(t)
	shells := map[string]func(b *bench, line string) []string{"bash": offeredByBash, "zsh": offeredByZsh, "fish": offeredByFish}
	for shell, offered := range shells {
		t.Run(shell, func(t *testing.T) {
			program(t, shell)
			b := newBench(t)
			b.write("share-1.journal", "")
			script := b.run(b.exe, "completion", shell)
			if script.code != 0 || script.stderr != "" {
				t.Fatalf("%+v", script)
			}
			b.write("_procpool", script.stdout)
			for _, c := range completions {
				offers := offered(b, c.line)
				for i := range offers { // some shells offer --flag=value, some the value
					offers[i] = offers[i][strings.Index(offers[i], "=")+1:]
				}
				if !slices.Contains(offers, c.offers) || slices.Contains(offers, c.not) {
					t.Errorf("%q: %q is offered, want %q among it and not %q", c.line, offers, c.offers, c.not)
				}
			}
		})
	}
}

func (b *bench) write(name, text string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// offeredByBash fills in what bash would before it calls the function. Names of
// files are bash's own to find, once it is asked to.
func offeredByBash(b *bench, line string) []string {
	b.write("ask.bash", `source ./_procpool
compopt() { compgen -f -- "${COMP_WORDS[COMP_CWORD]}"; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_procpool
printf '%s\n' "${COMPREPLY[@]}"
`)
	words := strings.Split(strings.ReplaceAll(line, "=", " = "), " ") // as bash takes --flag=value apart
	s := b.run(append([]string{"bash", "./ask.bash"}, words...)...)
	if s.code != 0 || s.stderr != "" {
		b.Errorf("bash: %+v", s)
	}
	return strings.Fields(s.stdout)
}

// offeredByZsh presses Tab in a zsh on a terminal of its own, where compadd
// tells what it was called with.
func offeredByZsh(b *bench, line string) []string {
	b.write("ask.zsh", `zmodload zsh/zpty
zpty -b asked zsh -f -i
until_there() { repeat 3000; do zpty -r -t asked text; [[ -e $1 ]] && return; sleep 0.02; done; print -u2 "no $1"; exit 1 }
zpty -w asked "PS1= PS2= RPS1=; stty -echo"
zpty -w asked "cd ${(q)PWD}; fpath=(\$PWD \$fpath); autoload -Uz compinit && compinit -u -D"
zpty -w asked 'compadd() { local -a found; [[ " ${(j: :)@[1,(i)(-|--)]} " == *" -"(O|A|D)" "* ]] || { builtin compadd -A found "$@"; print -lr -- "<${^found[@]}>" >>offered }; builtin compadd "$@" }'
zpty -w asked 'offer() { _main_complete; : >done; compstate[insert]=; compstate[list]= }'
zpty -w asked 'zle -C offer complete-word offer; bindkey "^I" offer; : >ready'
until_there ready
zpty -w -n asked "$1"$'\t'
until_there done
zpty -d asked
`)
	for _, name := range []string{"offered", "ready", "done"} {
		os.Remove(filepath.Join(b.dir, name))
	}
	if s := b.run("zsh", "-f", "./ask.zsh", line); s.code != 0 || s.stderr != "" {
		b.Fatalf("zsh: %+v", s)
	}
	text, err := os.ReadFile(filepath.Join(b.dir, "offered"))
	if err != nil {
		return nil // nothing was offered
	}
	var offers []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if word, ok := strings.CutPrefix(line, "<"); ok {
			offers = append(offers, strings.TrimSuffix(strings.TrimSuffix(word, ">"), "="))
		}
	}
	return offers
}

func offeredByFish(b *bench, line string) []string {
	s := b.run("fish", "--no-config", "-c", "source ./_procpool; complete -C "+quoted(line))
	if s.code != 0 || s.stderr != "" {
		b.Errorf("fish: %+v", s)
	}
	var offers []string
	for line := range strings.Lines(s.stdout) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		offers = append(offers, word)
	}
	return offers
}

func quoted(s string) string { return "'" + s + "'" }

// The manual page has every command and every flag, and no mistake that those
// who format it would report. A program that was not built from a commit has no date.
func TestManualPage(t *testing.T) {
	long(t)
	b := newBench(t)
	page := b.run(b.exe, "man")
	if page.code != 0 || page.stderr != "" {
		t.Fatalf("%+v", page)
	}
	b.write("procpool.1", page.stdout)
	t.Run("mandoc", func(t *testing.T) {
		program(t, "mandoc")
		lint := b.run("mandoc", "-T", "lint", "-W", "warning", "procpool.1")
		for line := range strings.Lines(lint.stdout + lint.stderr) {
			if !strings.Contains(line, "missing date") {
				t.Error(line)
			}
		}
	})
	t.Run("date", func(t *testing.T) {
		program(t, "mandoc")
		build := exec.Command("go", "build", "-o", b.exe+".stamped", "..")
		build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=true")
		build.Run()
		if info, err := buildinfo.ReadFile(b.exe + ".stamped"); err != nil || !strings.Contains(info.String(), "vcs.time=") {
			t.Skip("this is no checkout whose commit Go records")
		}
		b.write("procpool.1", b.run(b.exe+".stamped", "man").stdout)
		if lint := b.run("mandoc", "-T", "lint", "-W", "warning", "procpool.1"); lint.stdout+lint.stderr != "" {
			t.Errorf("%+v", lint)
		}
	})
	t.Run("complete", func(t *testing.T) {
		program(t, "mandoc")
		text := overstruck(b.run("mandoc", "-T", "ascii", "-O", "width=200", "procpool.1").stdout)
		for _, command := range []string{"run", "intervals", "compare", "merge", "tasks", "doctor", "man", "completion", "child"} {
			for line := range strings.Lines(b.run(b.exe, "help", command).stdout) {
				if flag, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "--"); ok && strings.HasPrefix(line, "  ") {
					flag, _, _ = strings.Cut(flag, " ")
					if !strings.Contains(text, "--"+strings.TrimSpace(flag)) {
						t.Errorf("%s: the page has no --%s", command, flag)
					}
				}
			}
		}
	})
}

// overstruck takes bold and underlined text as plain.
func overstruck(s string) string {
	var out []rune
	for _, r := range s {
		if r == '\b' {
			out = out[:max(len(out)-1, 0)]
			continue
		}
		out = append(out, r)
	}
	return string(out)
}
