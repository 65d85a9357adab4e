package main

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the program, and what each may import: of ours by
// the path below the module's, of others by a prefix of the path. What is not here
// is not allowed. The standard library is, everywhere.
var rooms = map[string][]string{
	"":                    {"cli", "pool", "internal/tasks"},
	"ipc":                 {"github.com/vmihailenco/msgpack/v5", "golang.org/x/sys"},
	"task":                {"ipc", "internal/role"},
	"child":               {"ipc", "task", "placement", "internal/pipe", "internal/procfs", "internal/role", "internal/terminal", "golang.org/x/sys", "internal/proctree"},
	"parent":              {"ipc", "placement", "internal/pipe", "internal/text", "golang.org/x/sys", "internal/proctree"},
	"parent/parenttest":   {"parent", "ipc"}, // for tests alone
	"pool":                {"ipc", "task", "parent", "child", "placement", "internal/role", "internal/text"},
	"placement":           {"internal/procfs", "internal/text", "golang.org/x/sys"},
	"journal":             {"internal/newfile", "internal/text", "ipc", "golang.org/x/sys"},
	"compare":             {"compare/rank", "pool", "placement", "task", "ipc", "internal/command", "internal/text", "internal/units"},
	"compare/rank":        {},
	"compare/comparetest": {"compare/rank", "ipc", "pool"}, // for tests alone
	"compare/report":      {"compare", "pool", "internal/text", "internal/units"},
	"cli": {"internal/command", "internal/proctree", "pool", "parent", "placement", "journal", "compare", "compare/report", "task", "ipc", "internal/newfile", "internal/terminal", "internal/text",
		"github.com/urfave/cli/v2", "github.com/xrash/smetrics", "golang.org/x/sys"},
	"internal/tasks":    {"task", "ipc", "internal/kernel"},
	"internal/command":  {"task", "ipc", "internal/proctree", "internal/role", "internal/text"},
	"internal/kernel":   {},
	"internal/pipe":     {"golang.org/x/sys"},
	"internal/newfile":  {"golang.org/x/sys"},
	"internal/leak":     {"go.uber.org/goleak"}, // for tests alone
	"internal/procfs":   {"golang.org/x/sys"},
	"internal/proctree": {"golang.org/x/sys"},
	"internal/role":     {},
	"internal/samples":  {"github.com/vmihailenco/msgpack/v5"}, // for tests alone
	"internal/terminal": {"golang.org/x/term"},
	"internal/text":     {},
	"internal/units":    {"internal/text"},
	"tools/home":        {},
	"tools/picture":     {},
	"tools/release":     {},
}

// lean is the build tag without which urfave/cli brings its generator of
// documentation along, which nothing here uses. Releases are built with it.
const lean = "urfave_cli_no_docs"

// modules are all but this one that are linked into the program, with the tag. The generator
// is in plainModules.
var modules = []string{
	"github.com/urfave/cli/v2",
	"github.com/vmihailenco/msgpack/v5",
	"github.com/vmihailenco/tagparser/v2",
	"github.com/xrash/smetrics",
	"golang.org/x/sys",
	"golang.org/x/term",
}

var plainModules = []string{
	"github.com/cpuguy83/go-md2man/v2",
	"github.com/russross/blackfriday/v2",
}

// module is the path of this module, which 'make home' changes.
func module(t *testing.T) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^module (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if line == nil {
		t.Fatal("go.mod has no module line")
	}
	return line[1]
}

var systems = []string{"linux", "darwin", "windows"}

// The arrows between rooms are those of the design, on every system: all that are
// there are allowed, and all that are allowed are there. parent and child never
// import each other: a parent starts whatever program it is part of.
func TestArrows(t *testing.T) {
	used, module := make(map[string]bool), module(t)
	for _, system := range systems {
		for _, line := range goList(t, system, `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
			path, imports, _ := strings.Cut(line, " ")
			room := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			allowed, known := rooms[room]
			if !known {
				t.Errorf("%s: %s is not in the table of rooms", system, path)
			}
			for _, imported := range strings.Fields(imports) {
				i := slices.IndexFunc(allowed, func(a string) bool { return leads(module, a, imported) })
				switch {
				case standard(module, imported):
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

// standard reports whether a package is of the standard library.
func standard(module, path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !strings.HasPrefix(path+"/", module+"/")
}

// leads reports whether an allowance is for an import: exactly for a room, and
// for all packages of another module.
func leads(module, allowed, imported string) bool {
	return module+"/"+allowed == imported || imported == allowed || strings.Contains(allowed, ".") && strings.HasPrefix(imported, allowed+"/")
}

func TestLinkedModules(t *testing.T) {
	ours := module(t)
	for _, system := range systems {
		for tag, allowed := range map[string][]string{lean: modules, "none": slices.Concat(modules, plainModules)} {
			allowed = append(slices.Clone(allowed), ours)
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
