package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"procpool/pool"
)

// A test program whose tests use worker processes needs pool.Main, too.
func TestMain(m *testing.M) {
	pool.Main()
	os.Exit(m.Run())
}

func TestWordCount(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i := range 20 {
		file := filepath.Join(dir, fmt.Sprint(i))
		text := strings.Repeat("The cat sat on the mat.\n", i+1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out, files); err != nil {
		t.Error(err)
	}
	if want := "     420 the\n     210 cat\n     210 mat\n     210 on\n     210 sat\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	out.Reset()
	err := run(t.Context(), &out, append(files[:1:1], filepath.Join(dir, "missing")))
	if err == nil || !strings.Contains(err.Error(), "1 of 2 files: wordcount of input 1: open ") {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "       2 the\n") {
		t.Errorf("got\n%s", &out)
	}
}
