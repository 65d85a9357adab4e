// Home renames the module: it is called procpool until it is put somewhere, and
// then by the path at which it is found there. Run it in the root of a clone:
//
//	go run ./tools/home github.com/me/procpool
//
// It changes the module's path in go.mod and in the module files of examples and
// tools, in the imports of Go files, and wherever a text names one of the module's
// folders as a package, such as procpool/ipc. The program stays procpool: its name,
// its messages and its file formats are not changed.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "home:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 || args[0] == "" {
		return fmt.Errorf("name the module's new path: make home MODULE=github.com/me/procpool")
	}
	changed, err := rename(".", args[0])
	for _, name := range changed {
		fmt.Println(name)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d files are changed; go test ./... and cd examples && go test ./... show that nothing is left.\n", len(changed))
	fmt.Println("README.md still says how to use a clone. Change that once the module can be fetched, and TestProgramsOfTheDocs with it.")
	return nil
}
