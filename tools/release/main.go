// Release builds the archives in which a version of procpool is published: for
// each system one static program and its documents, and SHA256SUMS over all.
//
//	go run ./tools/release [-o DIR] [-dirty] [OS/ARCH ...]
//
// A commit and a Go version determine every byte: neither the path of the
// clone, nor caches, nor the user's settings of Go make a difference. Version
// and date are those that Go records in the program it builds.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

var systems = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	folder := flag.String("o", "dist", "where the archives go, a `DIR` that git ignores")
	dirty := flag.Bool("dirty", false, "build also from a tree that is not exactly that of a commit")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/release [-o DIR] [-dirty] [OS/ARCH ...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		systems = flag.Args()
	}
	if err := release(*folder, *dirty); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds first for this machine: that program says which version it is,
// and prints its own man page.
func release(folder string, dirty bool) error {
	work, err := os.MkdirTemp("", "procpool-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := newBuilder(work)
	if err != nil {
		return err
	}
	host, err := b.build(runtime.GOOS + "/" + runtime.GOARCH)
	if err != nil {
		return err
	}
	if !dirty {
		if err := host.stamp.clean(); err != nil {
			return err
		}
	}
	files, err := documents(host)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, system := range systems {
		p, err := b.build(system)
		if err != nil {
			return err
		}
		if p.stamp != host.stamp {
			return fmt.Errorf("the tree changed meanwhile: %s is of %s, the program before it of %s", system, p.stamp, host.stamp)
		}
		name, data, err := archive(p, files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o666); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
		fmt.Println(filepath.Join(folder, name))
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), sums.Bytes(), 0o666)
}

// archive is a program's archive and its name.
func archive(p program, documents []file) (name string, data []byte, err error) {
	code, err := os.ReadFile(p.path)
	if err != nil {
		return "", nil, err
	}
	name = "procpool_" + strings.Trim(p.stamp.version, "()") + "_" + strings.Replace(p.system, "/", "_", 1)
	write, suffix, exe := writeTar, ".tar.gz", "procpool"
	if strings.HasPrefix(p.system, "windows/") {
		write, suffix, exe = writeZip, ".zip", "procpool.exe"
	}
	data, err = pack(write, name, p.stamp.date, append(slices.Clip(documents), file{exe, 0o755, code}))
	return name + suffix, data, err
}

// printed are the documents that procpool itself prints, and with what arguments.
var printed = []struct {
	name string
	args []string
}{
	{"procpool.1", []string{"man"}},
	{"completions/procpool.bash", []string{"completion", "bash"}},
	{"completions/_procpool", []string{"completion", "zsh"}},
	{"completions/procpool.fish", []string{"completion", "fish"}},
}

// documents are the files of every archive beside the program.
func documents(host program) ([]file, error) {
	var files []file
	for _, root := range []string{"README.md", "LICENSE", "CHANGELOG.md", "docs"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			files = append(files, file{filepath.ToSlash(path), 0o644, data})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, d := range printed {
		text, err := output(exec.Command(host.path, d.args...))
		if err != nil {
			return nil, err
		}
		files = append(files, file{d.name, 0o644, []byte(text)})
	}
	return files, nil
}
