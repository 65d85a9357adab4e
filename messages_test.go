package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateMessages = flag.Bool("update-messages", false, "write the table of TestTheTableOfMessages anew")

// messageTable holds every text of the sources that a user may read, by file and in the
// order of the source: to be read from top to bottom, and to show in review which text
// has changed.
const messageTable = "testdata/messages.txt"

func TestTheTableOfMessages(t *testing.T) {
	var table strings.Builder
	table.WriteString("Made by: go test -run TestTheTableOfMessages . -update-messages\n" +
		"{} stands for what is not known before the program runs.\n")
	for _, path := range sourceFiles(t) {
		texts := messagesOf(t, path)
		if len(texts) > 0 {
			fmt.Fprintf(&table, "\n%s\n%s", path, strings.Join(texts, ""))
		}
	}
	if *updateMessages {
		if err := os.WriteFile(messageTable, []byte(table.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(messageTable)
	if err != nil {
		t.Fatal(err)
	}
	if now := table.String(); now != string(kept) {
		t.Errorf("%s is stale. Read what differs, then make it anew with\n\tgo test -run %s . -update-messages\n%s",
			messageTable, t.Name(), firstDifference(string(kept), now))
	}
}

// sourceFiles returns the Go files of the program and its libraries, without tests.
func sourceFiles(t *testing.T) (paths []string) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains([]string{"testdata", "tools", "examples"}, d.Name()) || len(path) > 1 && path[0] == '.'):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// messagesOf returns a line for each message of a file. A message is the text of an error,
// a note, a hint or a flag's help, whatever its length, or any other text of three words.
func messagesOf(t *testing.T, path string) (lines []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string, e ast.Expr, words int) {
		if text, literal := textOf(e); literal && len(word.FindAllString(verbs.ReplaceAllString(text, ""), -1)) >= words {
			lines = append(lines, fmt.Sprintf("  %-11s  %s\n", kind, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n               ")))
		}
	}
	var visit func(kind string, n ast.Node)
	visit = func(kind string, n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.CallExpr:
				visit(kind, n.Fun)
				inner := kind
				if name := callee(n.Fun); slices.Contains(messageCalls, name) {
					inner = name
				}
				for _, arg := range n.Args {
					visit(inner, arg)
				}
				return false
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(messageFields, key.Name) {
					visit(key.Name, n.Value)
					return false
				}
			case *ast.Field:
				return n.Tag == nil
			case *ast.BinaryExpr, *ast.BasicLit:
				e := n.(ast.Expr)
				if _, literal := textOf(e); !literal {
					return true
				}
				words := 3
				if kind != "" && kind != "Sprintf" && kind != "Fprintf" {
					words = 1
				}
				add(kind, e, words)
				return false
			}
			return true
		})
	}
	visit("", file)
	return lines
}

var (
	word          = regexp.MustCompile(`\pL{2,}`)
	verbs         = regexp.MustCompile(`%[-+#0-9.*\[\]]*[a-zA-Z]`)
	messageCalls  = []string{"New", "Errorf", "usage", "usageHint", "note", "Sprintf", "Fprintf"}
	messageFields = []string{"Usage", "Description", "hint", "Summary", "ArgsUsage"}
)

func callee(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); f.Sel.Name == "New" && (!ok || x.Name != "errors") {
			return ""
		}
		return f.Sel.Name
	}
	return ""
}

// textOf returns a text that is put together of literals and other parts, {}. literal is
// false if no part of it is a literal.
func textOf(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.ParenExpr:
		return textOf(e.X)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		x, is := textOf(e.X)
		y, too := textOf(e.Y)
		return x + y, is || too
	}
	return "{}", false
}

// firstDifference shows the first lines in which two texts differ.
func firstDifference(before, now string) string {
	a, b := strings.Split(before, "\n"), strings.Split(now, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("line %d\n\t- %s\n\t+ %s", i+1, strings.Join(a[i:min(i+1, len(a))], ""), strings.Join(b[i:min(i+1, len(b))], ""))
}
