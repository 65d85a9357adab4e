package leak

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Watch(m).Run()) }

func TestAGoroutineIsSeenUntilItEnds(t *testing.T) {
	before := descriptors()
	end := make(chan bool)
	go linger(end)
	if err := leaked(before); err == nil || !strings.Contains(err.Error(), "leak.linger") {
		t.Errorf("while it waits: %v", err)
	}
	close(end)
	if err := wait(func() error { return leaked(before) }); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

func linger(end chan bool) { <-end }

func TestADescriptorIsSeenUntilItIsClosed(t *testing.T) {
	before := descriptors()
	if before == nil {
		t.Skip("this system does not list descriptors")
	}
	first, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := leaked(before); err == nil || !strings.HasSuffix(err.Error(), "open descriptors: 2 x "+os.DevNull) {
		t.Errorf("while two are open: %v", err)
	}
	first.Close()
	second.Close()
	if err := leaked(before); err != nil {
		t.Errorf("after both are closed: %v", err)
	}
}
