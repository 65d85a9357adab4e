package ipc

import "testing"

// short agrees with headerAt.
func TestShort(t *testing.T) {
	for c := range 256 {
		h, ok := headerAt([]byte{byte(c), 1, 1, 1, 1, 1})
		want := 0
		if follows, _ := headerAt([]byte{byte(c), 2, 2, 2, 2, 2}); ok && h.size > 0 && h == follows && h.values == 0 {
			want = h.size + int(h.body)
		}
		if got := short(byte(c)); got != want {
			t.Errorf("%#x: %d, want %d", c, got, want)
		}
	}
}
