package ipc

import (
	"fmt"
	"testing"
)

// These benchmarks measure what a chunk costs on each side of the wire. wire-B is the
// number of bytes per chunk.

var benchInterval = Interval{25_000_000, 25_001_000}

func BenchmarkWriteRequest(b *testing.B) {
	b.ReportAllocs()
	var dst []byte
	for i := 0; b.Loop(); i++ {
		dst = AppendInterval(AppendRequestHead(dst[:0], uint64(i)|1<<20, "pi"), benchInterval)
	}
	b.ReportMetric(float64(len(dst)), "wire-B")
}

func BenchmarkReadRequest(b *testing.B) {
	b.ReportAllocs()
	msg := AppendInterval(AppendRequestHead(nil, 1<<20, "pi"), benchInterval)
	r := NewReader(&loop{b: msg}, 0)
	for b.Loop() {
		m, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		q, err := ParseRequest(m.Body)
		if err != nil {
			b.Fatal(err)
		}
		if iv, err := ParseInterval(q.Arg); err != nil || iv != benchInterval {
			b.Fatal(iv, err)
		}
	}
	b.ReportMetric(float64(len(msg)), "wire-B")
}

func BenchmarkWriteResult(b *testing.B) {
	b.ReportAllocs()
	var dst []byte
	value := 3.14
	for i := 0; b.Loop(); i++ {
		dst = AppendResultHead(dst[:0], Result{ID: uint64(i) | 1<<20, Interval: benchInterval, HasInterval: true, Seconds: 0.001})
		dst, _ = AppendValue(dst, &value)
		dst = append(dst, '\n')
	}
	b.ReportMetric(float64(len(dst)), "wire-B")
}

func BenchmarkReadResult(b *testing.B) {
	b.ReportAllocs()
	msg := AppendResultHead(nil, Result{ID: 1 << 20, Interval: benchInterval, HasInterval: true, Seconds: 0.001})
	msg = append(appendFloat(msg, 3.14), '\n')
	r := NewReader(&loop{b: msg}, 0)
	var value float64
	for b.Loop() {
		m, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		q, err := ParseResult(m.Body)
		if err != nil {
			b.Fatal(err)
		}
		if err := DecodeValue(q.Value, &value); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(msg)), "wire-B")
}

func BenchmarkValue(b *testing.B) {
	benchValue(b, 3.14)
	benchValue(b, partial{250, 1})
	benchValue(b, point{1, 2})
	benchValue(b, everything{Map: map[string]int{"a": 1}, Ptr: &point{}, List: make([]float64, 9), Deep: map[int][]map[string]point{1: {{"x": {}}}}})
	benchValue(b, make([]point, 1000))
	benchValue(b, map[string]any{"a": 1.5, "b": []any{"x", true}})
	benchValue(b, make([]float64, 1000))
	benchValue(b, make([]int, 1000))
}

// benchValue encodes and decodes v.
func benchValue[T any](b *testing.B, v T) {
	b.Run(fmt.Sprintf("%T", v), func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			var err error
			if dst, err = AppendValue(dst[:0], &v); err == nil {
				err = DecodeValue(dst, &v)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(dst)), "wire-B")
	})
}
