package pipe

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// A part of a message counts as life, the end of the stream does not.
func TestEveryByteIsHeard(t *testing.T) {
	for _, stream := range []string{"", "\x81"} {
		var heard atomic.Bool
		got, err := io.ReadAll(&HeardReader{strings.NewReader(stream), &heard})
		if err != nil || string(got) != stream {
			t.Errorf("%q, %v, not %q", got, err, stream)
		}
		if want := len(stream) > 0; heard.Load() != want {
			t.Errorf("of %q was heard: %v", stream, !want)
		}
	}
}
