package parent

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"procpool/internal/text"
)

func TestTemplateExpands(t *testing.T) {
	f := fill{rank: 3, n: 8, host: "b", cpu: "0-1", exe: "/opt/it's here/p", args: []string{"procpool-child", "3"}}
	argv := []string{f.exe, "procpool-child", "3"}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"nice", append([]string{"nice"}, argv...)},
		{" nice\t-n  5\n", append([]string{"nice", "-n", "5"}, argv...)},
		{"taskset -c {cpu}", append([]string{"taskset", "-c", "0-1"}, argv...)},
		{"env R={rank}/{n} {argv} tail", append(append([]string{"env", "R=3/8"}, argv...), "tail")},
		{"ssh -T {host} /elsewhere/p {args}", []string{"ssh", "-T", "b", "/elsewhere/p", "procpool-child", "3"}},
		{"ssh {host} {cmd}", []string{"ssh", "b", `'/opt/it'\''s here/p' procpool-child 3`}},
		{"sh -c 'cat | {cmd}'", []string{"sh", "-c", `cat | '/opt/it'\''s here/p' procpool-child 3`}},
		{"srun --bcast={exe}", append([]string{"srun", "--bcast=" + f.exe}, argv...)},
		{`a 'b c' "d e" f\ g '' ""`, append([]string{"a", "b c", "d e", "f g", "", ""}, argv...)},
		{`a 'b\c' "d\"e\\f\g" h\i`, append([]string{"a", `b\c`, `d"e\f\g`, "hi"}, argv...)},
		{`a'b'"c"d`, append([]string{"abcd"}, argv...)},
		{"awk '{{print}} {rank}{n}'", append([]string{"awk", "{print} 38"}, argv...)},
		{"a {{{rank}}}", append([]string{"a", "{3}"}, argv...)},
		{"a $HOME *", append([]string{"a", "$HOME", "*"}, argv...)},
	} {
		tmpl, err := parseTemplate(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := tmpl.expand(f); !slices.Equal(got, c.want) {
			t.Errorf("%q gives\n%q, not\n%q", c.text, got, c.want)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"":               "empty",
		" \n":            "empty",
		"a 'b":           "not closed",
		`a "b`:           "not closed",
		`a \`:            "backslash",
		"a {foo}":        "unknown placeholder {foo}",
		"a {}":           "unknown placeholder {}",
		"a {rank":        "do not match",
		"a rank}":        "do not match",
		"a x{argv}":      "stand alone",
		"a {argv}{rank}": "stand alone",
		"a {args}.":      "stand alone",
	} {
		if _, err := parseTemplate(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want something about %q", text, err, why)
		}
	}
}

// A shell is the judge of what is quoted for a shell.
func TestQuotedWordsSurviveAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	words := []string{"plain-1.0/x_y", "", "two words", "it's", `"`, "$HOME", "`id`", "*", "a\nb", `\`, "~", "ü", "#", "a;b|c&d"}
	out, err := exec.Command(sh, "-c", `for w in `+text.ShellQuote(words...)+`; do printf '%s\0' "$w"; done`).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("the shell sees %q, not %q", got, words)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, line := range []string{"nice", "ssh {host} {cmd}", `a 'b\' "c" {{}} {rank}`, "{argv}", "{", `\`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		tmpl, err := parseTemplate(line)
		if err != nil {
			return
		}
		words := tmpl.expand(fill{exe: "p", args: []string{"procpool-child", "0"}})
		if len(words) == 0 {
			t.Fatalf("%q gives no words", line)
		}
		again, err := SplitWords(text.ShellQuote(words...))
		if err != nil || !slices.Equal(again, words) {
			t.Fatalf("%q quoted and split again is %q, %v", words, again, err)
		}
	})
}
