package pool

import (
	"testing"

	"procpool/ipc"
)

// BenchmarkDispatch is what one chunk costs beyond its work: ns, allocations
// and bytes are those of the parent alone.
func BenchmarkDispatch(b *testing.B) {
	for _, backend := range backends {
		b.Run(string(backend), func(b *testing.B) {
			p, err := New(b.Context(), Options{Procs: 2, Backend: backend, ChunkSize: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			b.ReportAllocs()
			b.ResetTimer()
			if _, err := Sum(b.Context(), p, null, ipc.Interval{End: int64(b.N)}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
