package journal

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"procpool/internal/leak"
	"procpool/ipc"
)

// With this variable the test binary is a writer, which a test kills.
const writerVariable = "PROCPOOL_TEST_JOURNAL_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		os.Exit(writeUntilKilled(path))
	}
	os.Exit(leak.Watch(m).Run())
}

// crashJob returns the header of the writer's journal. It has more chunks than the
// writer can finish, and their partials are quick to compute.
func crashJob() Header {
	h := header(1<<40, 1)
	h.Exact = true
	return h
}

// writeUntilKilled continues the journal in order. It prints "ready", or prints an error
// and exits. It writes and syncs small batches all the time, so that a kill can happen
// in any state of the file.
func writeUntilKilled(path string) int {
	h := crashJob()
	syncAfter, writeAbove = 200*time.Microsecond, 1700
	next := h.Interval.Start
	w, err := Resume(context.Background(), path, h, func(iv ipc.Interval, _ []byte) error {
		next = max(next, iv.End)
		return nil
	})
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		return 1
	}
	os.Stdout.WriteString("ready\n")
	for {
		iv := ipc.Interval{Start: next, End: next + 1}
		if err := w.Append(chunk(h, iv)); err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			return 1
		}
		if next++; next%16 == 0 {
			time.Sleep(50 * time.Microsecond)
		}
	}
}

// startWriter starts a writer and returns the first line that it prints.
func startWriter(t *testing.T, path string) (*exec.Cmd, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // if it hangs
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), writerVariable+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the writer prints %q, then %v", line, err)
	}
	return cmd, line
}

func TestASecondRunIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	first, line := startWriter(t, path)
	if line != "ready\n" {
		t.Fatal(line)
	}
	if _, line := startWriter(t, path); line != "journal "+path+" is in use by another process\n" {
		t.Errorf("a second writer prints %q", line)
	}
	var locked *LockedError
	if _, err := Resume(t.Context(), path, crashJob(), nil); !errors.As(err, &locked) {
		t.Errorf("Resume returns %v", err)
	}
	if _, err := Open(t.Context(), []string{path}); !errors.As(err, &locked) {
		t.Errorf("a merge of a journal that is being written: %v", err)
	}
	if _, err := ReadCoverage(t.Context(), path); err != nil {
		t.Errorf("ReadCoverage: %v", err)
	}
	first.Process.Kill()
	first.Wait()
	mustResume(t, path, crashJob()) // the kernel released the lock
}

// Writers are killed at random moments, and each continues the journal of the one
// before. After each kill the journal must have a number of chunks from the first one
// on, without a gap, with the right partials, and never fewer than before.
func TestKilledWriters(t *testing.T) {
	kills, restart := 300, 25
	if n, err := strconv.Atoi(os.Getenv("PROCPOOL_TEST_KILLS")); err == nil {
		kills = n
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	h := crashJob()
	var path string
	var covered int64
	torn, total := 0, int64(0)
	for kill := range kills {
		if kill%restart == 0 {
			path, covered = filepath.Join(t.TempDir(), strconv.Itoa(kill)), 0
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerVariable+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
		cmd.Process.Kill()
		if cmd.Wait(); cmd.ProcessState.Exited() {
			t.Fatalf("the writer was not killed: %v", cmd.ProcessState)
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was killed before it created the file
		}
		if err != nil {
			t.Fatal(err)
		}
		reader, _, err := readAll(b)
		if err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		now := reader.ledger.Total()
		if now < covered || !reader.ledger.Covers(ipc.Interval{Start: h.Interval.Start, End: h.Interval.Start + now}) {
			t.Fatalf("kill %d: %d chunks are left of %d", kill, now, covered)
		}
		if int(reader.offset) < len(b) {
			torn++
		}
		total += now - covered
		covered = now
	}
	t.Logf("%d kills, %d chunks written, %d torn lines", kills, total, torn)
	if total == 0 {
		t.Error("no writer lived long enough to write a chunk")
	}
}
