package task_test

import (
	"os"
	"testing"

	"procpool/child"
)

func TestMain(m *testing.M) {
	child.Main()
	os.Exit(m.Run())
}
