// Command wordcount prints the most frequent words of files, counted by a pool
// of worker processes, one file at a time.
//
//	wordcount FILE...
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"procpool/pool"
)

// A file's name travels, not what is in it: the worker reads it.
var count = pool.Define("wordcount", func(_ context.Context, file string) (map[string]int, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	words := make(map[string]int)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		for word := range strings.FieldsFuncSeq(lines.Text(), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
			words[strings.ToLower(word)]++
		}
	}
	return words, lines.Err()
})

func main() {
	pool.Main()
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wordcount:", err)
		os.Exit(1)
	}
}

// run counts and prints. Files that cannot be read are named in the error and
// do not keep the others from being counted.
func run(ctx context.Context, w io.Writer, files []string) error {
	p, err := pool.New(ctx, pool.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	total := make(map[string]int)
	var failed []string
	// Counts can be added in any order, so no file needs to wait for a longer one.
	for result, err := range pool.MapUnordered(ctx, p, count, slices.Values(files)) {
		if err != nil {
			failed = append(failed, err.Error())
		}
		for word, n := range result.Value {
			total[word] += n
		}
	}
	most := slices.SortedFunc(maps.Keys(total), func(a, b string) int {
		return cmp.Or(total[b]-total[a], cmp.Compare(a, b))
	})
	for _, word := range most[:min(len(most), 10)] {
		fmt.Fprintf(w, "%8d %s\n", total[word], word)
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d files: %s", len(failed), len(files), strings.Join(failed, "; "))
	}
	return nil
}
