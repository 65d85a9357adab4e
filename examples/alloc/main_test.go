package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"procpool/compare/comparetest"
	"procpool/pool"
)

func TestMain(m *testing.M) {
	pool.Main()
	os.Exit(m.Run())
}

// Which of them wins is the machine's business, and only logged; that all of
// them find what is in the documents is checked by run, and by this.
func TestEveryContenderFindsTheSame(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, 2, 200, 8, 2); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &out)
	if got := strings.Count(out.String(), "median"); got != 4 {
		t.Errorf("%d lines:\n%s", got, &out)
	}
}

func TestADocumentThatIsCutIsAnError(t *testing.T) {
	doc := newDocuments(1)[0]
	if _, err := summarise.Call(t.Context(), doc[:len(doc)-1]); err == nil {
		t.Error("no error")
	}
}

// 'go test -bench .' shows what processes and goroutines take for the same documents,
// and their ratio. There is no index here: each process would have its own.
func BenchmarkSummarise(b *testing.B) { comparetest.Run(b, summarise, newDocuments(50)) }
