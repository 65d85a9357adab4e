package task_test

import (
	"os"
	"testing"

	"procpool/child"
	"procpool/internal/leak"
)

func TestMain(m *testing.M) {
	child.Main()
	os.Exit(leak.Watch(m).Run())
}
