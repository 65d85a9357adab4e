package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// from and to are modules of these tests. Were from this module's own name, the
// tests would not stand a renaming of it.
const from, to = "pond", "example.org/me/pond"

// Packages and modules are renamed, and nothing else that has the same name.
func TestRename(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"go.mod":          {"module pond\n\ngo 1.26.0\n", "module example.org/me/pond\n\ngo 1.26.0\n"},
		"examples/go.mod": {"module pond-examples\n\nrequire pond v0.0.0\n\nreplace pond => ..\n", "module pond-examples\n\nrequire example.org/me/pond v0.0.0\n\nreplace example.org/me/pond => ..\n"},
		"tools/tools.mod": {"module pond/tools\n", "module example.org/me/pond/tools\n"},
		"fish/fish.go": {
			"package fish\n\nimport (\n\t\"golang.org/x/sys/unix\"\n\t\"pond/water\"\n)\n\n// See pond/water.\nconst command = \"pond-life pond/unknown\"\n",
			"package fish\n\nimport (\n\t\"example.org/me/pond/water\"\n\t\"golang.org/x/sys/unix\"\n)\n\n// See example.org/me/pond/water.\nconst command = \"pond-life pond/unknown\"\n",
		},
		"README.md": {
			"`pond run`: go get pond/fish; go mod edit -require=pond@v0.0.0 -replace=pond=../pond\n",
			"`pond run`: go get example.org/me/pond/fish; go mod edit -require=example.org/me/pond@v0.0.0 -replace=example.org/me/pond=../pond\n",
		},
		"examples/cron.sh": {"cd $HOME/pond/fish && pond run\n", ""},
		"fish/bytes.bin":   {"pond/fish\x00", ""},
		"dist/pond.txt":    {"pond/fish", ""},
		".git/config":      {"pond/fish", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "go.mod", "module "+from+"\n")
			write(t, root, "water/doc.go", "package water\n")
			write(t, root, "fish/doc.go", "package fish\n")
			write(t, root, name, c.before)
			changed, err := rename(root, to)
			if err != nil {
				t.Fatal(err)
			}
			want := c.after
			if want == "" {
				want = c.before
			}
			if got, _ := os.ReadFile(filepath.Join(root, name)); string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if slices.Contains(changed, filepath.FromSlash(name)) != (c.after != "") {
				t.Errorf("changed: %q", changed)
			}
		})
	}
}

func TestRefusedPaths(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module "+from+"\n")
	for _, path := range []string{"", from, "me/pond", "https://example.org/pond", "example.org/", "example.org/a b", "example.org/pond/v2"} {
		if changed, err := rename(root, path); err == nil || changed != nil {
			t.Errorf("%q is taken", path)
		}
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A copy of this tree that is renamed compiles, with its tests, examples and tools,
// and the tests that know the module's path pass.
func TestRenamedTree(t *testing.T) {
	if os.Getenv("PROCPOOL_TEST_ENGINES") != "1" {
		t.Skip("it compiles the module once more: PROCPOOL_TEST_ENGINES=1 runs it")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not here")
	}
	root := t.TempDir()
	copyTree(t, filepath.Join("..", ".."), root)
	if _, err := rename(root, "example.org/renamed/procpool"); err != nil {
		t.Fatal(err)
	}
	goRun(t, root, "vet", "./...", "./testdata/peers/...", "./testdata/forgetful")
	goRun(t, filepath.Join(root, "examples"), "vet", "./...")
	goRun(t, root, "build", "./...")
	goRun(t, root, "test", "-run", "TestArrows|TestLinked|TestDocumented", ".")
	goRun(t, root, "test", "-run", "Example", "./pool")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range must(files(from)) {
		path := filepath.Join(from, name)
		info, err := os.Stat(path)
		if err != nil {
			continue // a test has removed it meanwhile
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		write(t, to, name, string(text))
		if err := os.Chmod(filepath.Join(to, name), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// goRun runs the go command. With -trimpath its cache serves the next test, whose
// copy lies elsewhere.
func goRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // for hangs alone
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	t.Logf("%v go %s", time.Since(begin).Round(time.Second), strings.Join(args, " "))
	if err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
