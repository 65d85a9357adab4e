package compare_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"time"

	"procpool/compare"
	"procpool/pool"
)

// squares is a program's own task. It is defined at package level, so that worker
// processes have it, too.
var squares = pool.DefineSum("squares", func(_ context.Context, iv pool.Interval) (int64, error) {
	var sum int64
	for i := iv.Start; i < iv.End; i++ {
		sum += i * i
	}
	return sum, nil
}, func(a, b int64) int64 { return a + b }, pool.Exact())

// A program compares its own tasks; main begins with pool.Main(). An experiment
// that means something leaves out Size and MaxRounds and takes a minute or more.
func Example() {
	rec, err := compare.Do(context.Background(), compare.Experiment{
		Tasks:     []compare.Subject{{Name: squares.Spec().Name, Size: 10_000}},
		Workers:   []int{2},
		MaxRounds: 6,
		MaxTime:   time.Hour,
	}, compare.Pools{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range rec.Results.Tasks {
		for _, c := range t.Comparisons {
			fmt.Printf("%s: %v against %v in %d rounds, the same results: %t\n",
				t.Task, rec.Plan.Cells[c.A].Label(), rec.Plan.Cells[c.B].Label(), t.Rounds, t.Identical)
			// c.Verdict, c.Ratio and c.Difference are the answer.
		}
	}
	json.NewEncoder(io.Discard).Encode(rec) // in a file, procpool compare --from renders it
	// Output: squares: processes×2 against goroutines×2 in 6 rounds, the same results: true
}
