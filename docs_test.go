package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Where the documentation says by which test something is proven, or how to run
// one, the test is there.
func TestDocumentedTestsExist(t *testing.T) {
	var tests []byte
	for _, depth := range []string{"*", "*/*", "*/*/*"} {
		files, err := filepath.Glob(depth + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tests = append(tests, contents(t, file)...)
		}
	}
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	name, named := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`), 0
	for _, document := range append(documents, "README.md", "CONTRIBUTING.md") {
		for _, test := range name.FindAllString(string(contents(t, document)), -1) {
			if !regexp.MustCompile(`(?m)^func ` + test + `\(`).Match(tests) {
				t.Errorf("%s names %s, which does not exist", document, test)
			}
			named++
		}
	}
	if named < 20 {
		t.Errorf("only %d names of tests were found", named)
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
