package child

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A worker leaves its caller's pipe as it was, also when it is killed: a shell may read
// on from it.
func TestTheCallersPipeStaysAsItWas(t *testing.T) {
	for name, kill := range map[string]bool{"ended": false, "killed": true} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			unix.SetNonblock(int(r.Fd()), false)
			cmd := exec.Command(os.Args[0], "child")
			cmd.Stdin = r
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			hello := make([]byte, 7)
			if _, err := out.Read(hello); err != nil || !bytes.Equal(hello, []byte("\x81\xa5hello")) {
				t.Errorf("it says %q, %v", hello, err)
			}
			if kill {
				cmd.Process.Kill()
			} else {
				w.Close()
			}
			cmd.Wait()
			flags, err := unix.FcntlInt(r.Fd(), unix.F_GETFL, 0)
			if err != nil || flags&unix.O_NONBLOCK != 0 {
				t.Errorf("the pipe has flags %#x, %v", flags, err)
			}
		})
	}
}

// A socket and a file serve as well, and a process without a standard input says so.
func TestOtherStandardInputs(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "requests"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(pair[0]), "socket")
	defer socket.Close()
	syscall.Close(pair[1])
	for name, stdin := range map[string]*os.File{"file": file, "socket": socket} {
		for _, args := range [][]string{{"child"}, {Arg, "0"}} {
			cmd := exec.Command(os.Args[0], args...)
			cmd.Stdin = stdin
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if out, err := cmd.Output(); err != nil || !bytes.Contains(out, []byte("\x81\xa3bye")) {
				t.Errorf("%s, %v: %v, %q, %s", name, args, err, out, &stderr)
			}
		}
	}
}
