package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the program, and what each may import: of ours by
// the path below procpool, of others by a prefix of the path. What is not here
// is not allowed. The standard library is, everywhere.
var rooms = map[string][]string{
	"":                  {"cli", "pool", "internal/tasks"},
	"ipc":               {"github.com/vmihailenco/msgpack/v5", "golang.org/x/sys"},
	"task":              {"ipc", "internal/role"},
	"child":             {"ipc", "task", "placement", "internal/pipe", "internal/procfs", "internal/role", "internal/terminal", "golang.org/x/sys"},
	"parent":            {"ipc", "placement", "internal/pipe", "internal/text", "golang.org/x/sys"},
	"parent/parenttest": {"parent", "ipc"}, // for tests alone
	"pool":              {"ipc", "task", "parent", "child", "placement", "internal/role"},
	"placement":         {"internal/procfs", "internal/text", "golang.org/x/sys"},
	"journal":           {"internal/newfile", "internal/text", "ipc"},
	"compare":           {"pool", "placement", "task", "ipc", "internal/text"},
	"compare/report":    {"compare", "pool", "internal/text"},
	"cli": {"pool", "parent", "placement", "journal", "compare", "compare/report", "task", "ipc", "internal/newfile", "internal/terminal", "internal/text",
		"github.com/urfave/cli/v2", "github.com/xrash/smetrics", "golang.org/x/sys"},
	"internal/tasks":    {"task", "ipc", "internal/kernel"},
	"internal/kernel":   {},
	"internal/pipe":     {"golang.org/x/sys"},
	"internal/newfile":  {"golang.org/x/sys"},
	"internal/leak":     {"go.uber.org/goleak"}, // for tests alone
	"internal/procfs":   {},
	"internal/role":     {},
	"internal/terminal": {"golang.org/x/term"},
	"internal/text":     {},
	"tools/release":     {},
}

// lean is the build tag without which urfave/cli brings its generator of
// documentation along, which nothing here uses. Releases are built with it.
const lean = "urfave_cli_no_docs"

// modules are all that may be linked into the program, with the tag. The generator
// is in plainModules.
var modules = []string{
	"github.com/urfave/cli/v2",
	"github.com/vmihailenco/msgpack/v5",
	"github.com/vmihailenco/tagparser/v2",
	"github.com/xrash/smetrics",
	"golang.org/x/sys",
	"golang.org/x/term",
	"procpool",
}

var plainModules = []string{
	"github.com/cpuguy83/go-md2man/v2",
	"github.com/russross/blackfriday/v2",
}

var systems = []string{"linux", "darwin", "windows"}

// The arrows between rooms are those of the design, on every system: all that are
// there are allowed, and all that are allowed are there. parent and child never
// import each other: a parent starts whatever program it is part of.
func TestArrows(t *testing.T) {
	used := make(map[string]bool)
	for _, system := range systems {
		for _, line := range goList(t, system, `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
			path, imports, _ := strings.Cut(line, " ")
			room := below(path)
			allowed, known := rooms[room]
			if !known {
				t.Errorf("%s: %s is not in the table of rooms", system, path)
			}
			for _, imported := range strings.Fields(imports) {
				i := slices.IndexFunc(allowed, func(a string) bool { return leads(a, imported) })
				switch {
				case standard(imported):
				case i < 0:
					t.Errorf("%s: %s must not import %s", system, path, imported)
				default:
					used[room+" "+allowed[i]] = true
				}
			}
		}
	}
	for room, allowed := range rooms {
		for _, a := range allowed {
			if !used[room+" "+a] {
				t.Errorf("%q is allowed to import %s, and does not", room, a)
			}
		}
	}
}

// below is a package's path below procpool, or all of it if it is not ours.
func below(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "procpool"), "/")
}

// standard reports whether a package is of the standard library.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "procpool" && !strings.Contains(first, ".")
}

// leads reports whether an allowance is for an import: exactly for a room, and
// for all packages of another module.
func leads(allowed, imported string) bool {
	return "procpool/"+allowed == imported || imported == allowed || strings.Contains(allowed, ".") && strings.HasPrefix(imported, allowed+"/")
}

func TestLinkedModules(t *testing.T) {
	for _, system := range systems {
		for tag, allowed := range map[string][]string{lean: modules, "none": slices.Concat(modules, plainModules)} {
			linked := goList(t, system, `{{with .Module}}{{.Path}}{{end}}`, "-deps", "-tags", tag, ".")
			slices.Sort(linked)
			slices.Sort(allowed)
			if linked = slices.Compact(linked); !slices.Equal(linked, allowed) {
				t.Errorf("%s, tag %s: the modules %q are linked into the program, and not %q", system, tag, linked, allowed)
			}
		}
	}
}

// goList is 'go list' for a system, a line for each package that has one.
func goList(t *testing.T, system, format string, args ...string) []string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	cmd := exec.CommandContext(hardLimit(t), goTool, append([]string{"list", "-f", format}, args...)...)
	cmd.Env = append(cmd.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	lines := strings.Split(string(out), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	if len(lines) == 0 {
		t.Fatal("go list names nothing")
	}
	return lines
}
