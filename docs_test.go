package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the pages that say how things are now.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, "README.md", "CONTRIBUTING.md", "examples/README.md")
}

// prose is a document without its blocks of code.
func prose(t *testing.T, document string) string {
	return block.ReplaceAllString(read(t, document), "")
}

var (
	quoted   = regexp.MustCompile("`([^`\n]+)`")
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)
)

// Where the documentation says by which test something is proven, or how to run
// one, the test is there. `child: TestX` is in the package of that folder.
func TestDocumentedTestsExist(t *testing.T) {
	tests := make(map[string]string) // the text of all test files of a folder
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "*/*/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			tests[filepath.ToSlash(filepath.Dir(file))] += read(t, file)
		}
	}
	has := func(folder, test string) bool {
		return regexp.MustCompile(`(?m)^func ` + test + `\(`).MatchString(tests[folder])
	}
	placed := regexp.MustCompile("`([\\w./]+): (Test\\w+)`")
	for _, document := range documents(t) {
		text := read(t, document)
		for _, m := range placed.FindAllStringSubmatch(text, -1) {
			if !has(m[1], m[2]) {
				t.Errorf("%s names %s in %s, which is not there", document, m[2], m[1])
			}
		}
		for _, test := range testName.FindAllString(text, -1) {
			somewhere := false
			for folder := range tests {
				somewhere = somewhere || has(folder, test)
			}
			if !somewhere {
				t.Errorf("%s names %s, which does not exist", document, test)
			}
		}
	}
	// Of a test without a folder, docs/faults.md says that it is in pool.
	for _, m := range quoted.FindAllStringSubmatch(read(t, "docs/faults.md"), -1) {
		if testName.FindString(m[1]) == m[1] && !has("pool", m[1]) {
			t.Errorf("docs/faults.md names %s, which is not in pool", m[1])
		}
	}
}

// A row of a table whose last column is "proven by" or "shown by" names a test, or
// a file that is there.
func TestEachClaimHasItsProof(t *testing.T) {
	for _, document := range []string{"docs/faults.md"} {
		claims := false // the rows are those of such a table
		rows := 0
		for line := range strings.Lines(read(t, document)) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
			last := strings.TrimSpace(cells[len(cells)-1])
			switch {
			case !strings.HasPrefix(line, "|"):
				claims = false
			case last == "proven by" || last == "shown by":
				claims = true
			case claims && !strings.HasPrefix(line, "|---"):
				rows++
				if !namesAProof(last) {
					t.Errorf("%s: no test and no file shows this: %s", document, line)
				}
			}
		}
		if rows == 0 {
			t.Errorf("%s has no table of claims", document)
		}
	}
}

func namesAProof(cell string) bool {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		if _, err := os.Stat(m[1]); err == nil || testName.MatchString(m[1]) {
			return true
		}
	}
	return false
}

// Files that the documentation names are there: links, paths from the root, and
// in a section of docs/architecture.md on a folder the files of that folder.
func TestDocumentedFilesExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([\w./-]+)(#[\w-]+)?\)`)
	file := regexp.MustCompile(`^[\w./-]+\.(?:go|md|txtar|sh|yaml|svg|py|c|s)$`)
	heading := regexp.MustCompile("(?m)^#+ `([\\w/]+)`")
	for _, document := range documents(t) {
		text := prose(t, document)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			name := path.Join(path.Dir(document), m[1])
			if !exists(name) || m[2] != "" && !hasHeading(read(t, name), m[2][1:]) {
				t.Errorf("%s refers to %s%s, which does not exist", document, name, m[2])
			}
		}
		folder := path.Dir(document)
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				folder = path.Dir(document)
				if m := heading.FindStringSubmatch(line); m != nil {
					folder = m[1]
				}
			}
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				if file.MatchString(m[1]) && !exists(m[1]) && !exists(path.Join(folder, m[1])) {
					t.Errorf("%s names %s, which does not exist", document, path.Join(folder, m[1]))
				}
			}
		}
	}
}

// hasHeading reports whether a page has a heading that is reached by an anchor.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		text, heading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		text = regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "")
		if heading && strings.HasPrefix(line, "#") && strings.ReplaceAll(text, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func exists(name string) bool {
	_, err := os.Stat(filepath.FromSlash(name))
	return err == nil
}

// What the documentation calls by a package's or a type's name is exported:
// pool.Map, pool.Options.Bind, and without a package Options.Bind, of package pool.
func TestDocumentedNamesExist(t *testing.T) {
	packages := make(map[string]map[string][]string)
	for _, name := range []string{"pool", "parent", "child", "task", "ipc", "placement", "journal", "compare", "cli"} {
		packages[name] = exported(t, name)
	}
	name := regexp.MustCompile(`(?:\b([a-z]+)\.)?\b([A-Z]\w*)(?:\.([A-Z]\w*))?`)
	for _, document := range documents(t) {
		for _, q := range quoted.FindAllStringSubmatch(prose(t, document), -1) {
			for _, m := range name.FindAllStringSubmatch(q[1], -1) {
				pkg, known := packages[m[1]]
				if m[1] == "" {
					pkg = packages["pool"]
					members := pkg[m[2]]
					known = members != nil && m[3] != ""
				}
				if !known {
					continue
				}
				members, found := pkg[m[2]]
				if !found || m[3] != "" && members != nil && !slices.Contains(members, m[3]) {
					t.Errorf("%s names %s, which is not exported", document, m[0])
				}
			}
		}
	}
}

// exported lists what a package exports, and of each struct the fields and methods.
// Those of other types, and of types of other packages, are nil or incomplete.
func exported(t *testing.T, folder string) map[string][]string {
	t.Helper()
	names := make(map[string][]string)
	files, _ := filepath.Glob(folder + "/*.go")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = nil
				} else {
					of := receiver(d)
					names[of] = append(names[of], d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					declared(names, s)
				}
			}
		}
	}
	return names
}

// receiver is the type that a method is of.
func receiver(d *ast.FuncDecl) string {
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

func declared(names map[string][]string, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names[n.Name] = nil
		}
	case *ast.TypeSpec:
		members := names[s.Name.Name]
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, n := range f.Names {
					members = append(members, n.Name)
				}
				if embedded, ok := f.Type.(*ast.SelectorExpr); ok && f.Names == nil {
					members = append(members, embedded.Sel.Name)
				}
			}
		}
		names[s.Name.Name] = members
	}
}

// Each row of the tables of docs/from-python.md that has an example names one that is
// there, and each example of Python's pools has a row.
func TestRowsFromPythonHaveExamples(t *testing.T) {
	files, err := filepath.Glob("pool/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool) // an example: whether it needs a row
	for _, file := range files {
		for _, m := range regexp.MustCompile(`(?m)^func (Example\w*)\(\)`).FindAllStringSubmatch(read(t, file), -1) {
			there[m[1]] = strings.Contains(file, "example_python_")
		}
	}
	page, rows := read(t, "docs/from-python.md"), 0
	for _, row := range regexp.MustCompile(`(?m)^\|.*\| `+"`"+`(Example\w*)`+"`"+` \|$`).FindAllStringSubmatch(page, -1) {
		rows++
		if _, ok := there[row[1]]; !ok {
			t.Errorf("docs/from-python.md names %s, which is not there", row[1])
		}
	}
	for example, needed := range there {
		if needed && !strings.Contains(page, "`"+example+"`") {
			t.Errorf("docs/from-python.md has no row that names %s", example)
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows of docs/from-python.md name an example", rows)
	}
}
