// Identity prints what identifies it. With the build tag two it is another program of
// the same size.
package main

import (
	"fmt"
	"os"

	"procpool/ipc"
)

func main() {
	fmt.Print(ipc.Build())
	if len(os.Args) == constant {
		os.Exit(1)
	}
}
