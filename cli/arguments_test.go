package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Whatever the order, flags come first, under their first names, and operands
// behind "--".
func TestArrange(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"run 10", "run -- 10"},
		{"run --procs 4 10", "run --procs=4 -- 10"},
		{"run 10 --procs 4", "run --procs=4 -- 10"},
		{"run --procs=4 10", "run --procs=4 -- 10"},
		{"run -procs 4 10", "run --procs=4 -- 10"},
		{"run -n 4 10", "run --procs=4 -- 10"},
		{"run -n4 10", "run --procs=4 -- 10"},
		{"run -n=4 10", "run --procs=4 -- 10"},
		{"run -vn4 10", "run --verbose=true --procs=4 -- 10"},
		{"run -vn=4 10", "run --verbose=true --procs=4 -- 10"},
		{"run -vn 4 10", "run --verbose=true --procs=4 -- 10"},
		{"run -vq", "run --verbose=true --quiet=true --"},
		{"run --jobs 2 -j3 --cpus 4 --threads 5 --workers=6", "run --procs=2 --procs=3 --procs=4 --procs=5 --procs=6 --"},
		{"run -1", "run -- -1"},
		{"run -.5 -", "run -- -.5 -"},
		{"run --start -5 10", "run --start=-5 -- 10"},
		{"run --journal --json 10", "run --journal=--json -- 10"},
		{"run --journal a=b 10", "run --journal=a=b -- 10"},
		{"run --journal= 10", "run --journal= -- 10"},
		{"run 10 -- --json", "run -- 10 --json"},
		{"run -- -- 10", "run -- -- 10"},
		{"run --json=false 10", "run --json=false -- 10"},
		{"run --json=1 10", "run --json=true -- 10"},
		{"merge --json json", "merge --json=true -- json"},
		{"run 10 -h --procs", "--procs needs a value"},
		{"run 10 -h --procs 4", "help run"},
		{"run --help", "help run"},
		{"run -vh", "help run"},
		{"run --help=false 10", "run --help=false -- 10"},
		{"--help", "help --"}, {"-h", "help --"}, {"-help", "help --"}, {"h", "help --"}, {"help run", "help -- run"}, {"help --help", "help help"},
		{"--version", "version --"}, {"-version", "version --"}, {"version", "version --"},
		{"complete run --ta", "complete -- run --ta"},
		{"", "a command is missing"},
		{"rn", `unknown command "rn"`},
		{"run --porcs 4", "unknown flag --porcs"},
		{"run --porcs=4", "unknown flag --porcs"},
		{"run -x", "unknown flag -x"},
		{"run -vx", "unknown flag -vx"},
		{"run -", "run -- -"},
		{"run -=4", "unknown flag -"},
		{"run -vn", "-n needs a value"},
		{"run --json=maybe", `--json takes no value, but was given "maybe"`},
		{"--procs 4", "--procs stands before the command"},
		{"--porcs 4", "unknown flag --porcs"},
		{"-v", "unknown flag -v"},
		{"-", "unknown flag -"},
	} {
		p := &program{Options: Options{Name: "procpool"}}
		arranged, err := p.arrange(p.app(), strings.Fields(c.given))
		got := strings.TrimPrefix(strings.Join(arranged, " "), "procpool ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.given, got, c.want)
		}
	}
}

// Each command line has commands and flags of its own, so that several may be
// read at once.
func TestCommandLinesAtOnce(t *testing.T) {
	for _, args := range [][]string{{"run", "--backend", "serial", "1000"}, {"intervals", "-n2", "10"}, {"help", "run"}, {"run", "--porcs"}, {"version"}, {"man"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			_, want, wantErr := procpool(args...)
			for range 20 {
				code, out, stderr := procpool(args...)
				if first, _, _ := strings.Cut(out, "\n"); !strings.HasPrefix(want, first) || stderr != wantErr {
					t.Errorf("exit code %d, %q and %q, before %q and %q", code, out, stderr, want, wantErr)
				}
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct{ word, near string }{
		{"--porcs", "--procs"}, {"procs", "--procs"}, {"--chunk_size", "--chunk-size"}, {"--p", ""}, {"", ""}, {"-", ""}, {"--zzz", ""}, {"rocs", ""},
	} {
		want := "hint"
		if c.near != "" {
			want = "did you mean " + c.near + "? hint"
		}
		if got := didYouMean(c.word, []string{"--procs", "--chunk-size", "--verbose"}, "hint"); got != want {
			t.Errorf("%q: %q, want %q", c.word, got, want)
		}
	}
}

// The zero Options are valid.
func TestProgramIsNamedAfterItsFile(t *testing.T) {
	var out, errs bytes.Buffer
	code := Main(Options{Args: []string{"/opt/bin/mytool.exe", "version"}, Stdout: &out, Stderr: &errs})
	if code != 0 || !strings.HasPrefix(out.String(), "mytool ") || errs.Len() > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &out, &errs)
	}
	if code := Main(Options{Args: []string{}, Stdout: &out, Stderr: &errs}); code != exitUsage {
		t.Errorf("without arguments: exit code %d", code)
	}
}

// Every flag with a value names it, in the usage of all commands.
func TestFlagsAreExplained(t *testing.T) {
	p := &program{Options: Options{Name: "procpool"}}
	for _, cmd := range p.app().Commands {
		if cmd.Usage == "" || cmd.UsageText == "" || !strings.Contains(cmd.UsageText, p.Name) {
			t.Errorf("%s: usage %q, example %q", cmd.Name, cmd.Usage, cmd.UsageText)
		}
		for _, f := range flagTexts(cmd) {
			if f.Usage == "" || !slices.Contains(categories[:], f.Category) {
				t.Errorf("%s --%s: usage %q, category %q", cmd.Name, f.Name, f.Usage, f.Category)
			}
		}
	}
}
