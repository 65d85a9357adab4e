package child_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"procpool/child"
	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

var shout = task.Define("example-shout", func(_ context.Context, s string) (string, error) { return s + "!", nil })

// The body is a whole main. What stands before child.Main runs in every worker too.
func ExampleMain() {
	child.Main()

	p, err := pool.New(context.Background(), pool.Options{Procs: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, shout, slices.Values([]string{"hello"})) {
		fmt.Println(out, err)
	}
	// Output: hello! <nil>
}

// Serve works without a process. The input has two requests and ends there.
func ExampleServe() {
	var in, out bytes.Buffer
	for id, word := range []string{"one", "two"} {
		request := ipc.AppendRequestHead(nil, uint64(id), "example-shout")
		request, _ = ipc.AppendValue(request, &word)
		in.Write(request)
	}
	fmt.Println(child.Serve(context.Background(), &in, &out))

	replies := ipc.NewReader(&out, 0)
	for {
		m, err := replies.Next()
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(m.Kind)
		if m.Kind == ipc.KindResult {
			r, _ := ipc.ParseResult(m.Body)
			var word string
			fmt.Println(r.ID, ipc.DecodeValue(r.Value, &word), word)
		}
	}
	// Output:
	// <nil>
	// hello
	// result
	// 0 <nil> one!
	// result
	// 1 <nil> two!
	// bye
	// EOF
}
