package proctree

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A tree of shells dies as a whole, stopped ones and those that ignore signals too.
func TestKill(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sh -c 'trap "" TERM INT; sleep 600 & echo $!; kill -STOP $$; wait' & sleep 600 & echo $$ $!; wait`)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 3 && lines.Scan(); {
		for _, f := range strings.Fields(lines.Text()) {
			pid, _ := strconv.Atoi(f)
			pids = append(pids, pid)
		}
	}
	KillDescendants(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil { // the shell has nothing left to wait for
		t.Log(err)
	}
	for _, pid := range pids {
		for range 100 {
			if syscall.Kill(pid, 0) != nil || zombie(pid) {
				pid = 0
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if pid != 0 {
			t.Errorf("process %d is still there", pid)
		}
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z")
}

func TestChildrenAreFoundByScanAsWell(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for name, list := range map[string]func(int) []int{"listed": children, "scanned": childrenByScan} {
		found := false
		for _, pid := range list(os.Getpid()) {
			found = found || pid == cmd.Process.Pid
		}
		if !found {
			t.Errorf("%s: %d is not among the children", name, cmd.Process.Pid)
		}
	}
}
