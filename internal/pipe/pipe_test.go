package pipe

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// Part of a message sets GotBytes. The end of the stream does not.
func TestEveryByteIsReported(t *testing.T) {
	for _, stream := range []string{"", "\x81"} {
		var gotBytes atomic.Bool
		got, err := io.ReadAll(&WatchedReader{strings.NewReader(stream), &gotBytes})
		if err != nil || string(got) != stream {
			t.Errorf("read %q, %v; want %q", got, err, stream)
		}
		if want := len(stream) > 0; gotBytes.Load() != want {
			t.Errorf("GotBytes is %v after %q", !want, stream)
		}
	}
}
