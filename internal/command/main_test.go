package command

import (
	"os"
	"testing"

	"procpool/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Watch(m).Run()) }
