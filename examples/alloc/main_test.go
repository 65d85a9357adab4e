package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"procpool/child"
)

func TestMain(m *testing.M) {
	child.Main()
	os.Exit(m.Run())
}

// Which of them wins is the machine's business; that each counts right is checked by run.
func TestEveryContenderCountsAllNodes(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, 2, 200, 2); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "median"); got != 4 {
		t.Errorf("%d lines:\n%s", got, &out)
	}
}
