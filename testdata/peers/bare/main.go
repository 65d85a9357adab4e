// Bare is the floor under every Go process pool: a program that starts itself
// N times (its argument, 2 without one), at once, and takes one byte from each
// child. As 'bare hold' it is a child that waits for the end of its input.
package main

import (
	"io"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Stdout.Write([]byte{'x'})
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		os.Stdout.Write([]byte{'x'})
		io.Copy(io.Discard, os.Stdin)
		return
	}
	n := 2
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	type child struct {
		out  *os.File
		proc *os.Process
	}
	var children []child
	for range n {
		r, w, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], "child"}, &os.ProcAttr{Files: []*os.File{nil, w, os.Stderr}})
		if err != nil {
			panic(err)
		}
		w.Close()
		children = append(children, child{r, p})
	}
	for _, c := range children {
		if b, err := io.ReadAll(c.out); err != nil || len(b) != 1 {
			panic("no byte from a child")
		}
		c.proc.Wait()
	}
}
