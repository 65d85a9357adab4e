package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"procpool/pool"
)

// An entry is one of the index's: pointers, which every collection follows.
type entry struct {
	key  string
	tags []string
}

// entryBytes is about what an entry takes with its share of the map.
const entryBytes = 128

// newIndex is what the program holds in memory besides its work, some MiB of it.
func newIndex(mib int) map[int]*entry {
	index := map[int]*entry{}
	for i := range mib << 20 / entryBytes {
		index[i] = &entry{key: strconv.Itoa(i), tags: []string{"in", "stock"}}
	}
	return index
}

const items = 100 // of a document

// newDocuments are n orders, each of about 10 KB of JSON.
func newDocuments(n int) [][]byte {
	docs := make([][]byte, n)
	for k := range docs {
		var lines []string
		for i := range items {
			lines = append(lines, fmt.Sprintf(`{"id":%d,"name":"item %d","tags":["new","red","small"],"price":%d.25,"at":{"x":%d,"y":%d}}`, i, k+i, k, i, k))
		}
		docs[k] = []byte("[" + strings.Join(lines, ",") + "]")
	}
	return docs
}

// cycle yields so many documents, the same ones again and again.
func cycle(docs [][]byte, n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; i < n && yield(docs[i%len(docs)]); i++ {
		}
	}
}

// A summary is what is wanted of documents: how many values they have, and what
// those that are numbers add up to. The numbers here are multiples of a quarter, so
// that their sum is exact in any order.
type summary struct {
	Values int
	Sum    float64
}

// expected is the summary of n documents, worked out without reading them.
func expected(different, n int) (s summary) {
	for i := range n {
		k := i % different
		s = s.plus(summary{items * 8, items*(items-1) + items*(2*float64(k)+0.25)})
	}
	return s
}

func (s summary) plus(t summary) summary { return summary{s.Values + t.Values, s.Sum + t.Sum} }

// summarise decodes a document of any shape into maps and slices, all of
// which is garbage as soon as it has been looked at.
var summarise = pool.Define("summarise", func(_ context.Context, doc []byte) (summary, error) {
	var v any
	err := json.Unmarshal(doc, &v)
	return summaryOf(v), err
})

func summaryOf(v any) (s summary) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			s = s.plus(summaryOf(x))
		}
	case map[string]any:
		for _, x := range v {
			s = s.plus(summaryOf(x))
		}
	case float64:
		return summary{1, v}
	default:
		s.Values = 1
	}
	return s
}
