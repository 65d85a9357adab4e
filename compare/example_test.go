package compare_test

import (
	"context"
	"fmt"
	"os"

	"procpool/compare"
	"procpool/pool"
)

// word makes one word of a text.
var word = pool.Define("word", func(_ context.Context, letters int) (string, error) {
	return fmt.Sprintf("%0*d", letters, 7), nil
})

// Every process of the program can make the same inputs.
var words = compare.Inputs(word, func(i int64) int { return int(i % 9) })

// A program compares a task of its own. It needs pool.Main at the beginning of main;
// here TestMain has it. A real comparison leaves out Size, MaxPairs and Workers.
func Example() {
	words.Size = 50
	x := compare.Experiment{Tasks: []compare.Subject{words}, MaxPairs: 3, Workers: []int{2}, Warm: true}
	rec, err := compare.Do(context.Background(), x, compare.Pools{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if rec.Results.Rounds > 9 { // this would print who wins, by how much, and why
		compare.Report(os.Stdout, rec)
	}
	r := rec.Results.Rows[0]
	fmt.Println(r.Task, r.A, "against", r.B, "in", r.Pairs, "pairs")
	// Output:
	// word processes against goroutines in 3 pairs
}
