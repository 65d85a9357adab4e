package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

var crashes = flag.Int("crashes", 100, "how often TestKilledRunsResumeToTheSameBits kills a run; a quarter with -short")

// A run with a journal is killed at random moments and resumed by the same
// command, again and again until it is done: the result has the same bits as
// that of a run that nobody disturbed, for tasks with exact partials and for
// others, whatever the number of workers at each start.
func TestKilledRunsResumeToTheSameBits(t *testing.T) {
	t.Parallel()
	const longest = 900 * time.Millisecond // a journal is written about twice a second
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 8))
	jobs := [][]string{
		{"--chunk-size", "1e6", "2e9"},
		{"--task", "pi-fast", "--chunk-size", "1015808", "3e10"},
	}
	var want []string
	for _, args := range jobs {
		want = append(want, resultOf(t, args...))
	}
	kills, rounds, need := 0, 0, *crashes
	if testing.Short() {
		need /= 4
	}
	for ; kills < need; rounds++ {
		dir := t.TempDir()
		for {
			args := []string{"run", "--journal", "j", "--resume", "--procs", strconv.Itoa(1 + r.IntN(3))}
			j := start(t, dir, "procpool", append(args, jobs[rounds%len(jobs)]...)...)
			select {
			case <-j.ended:
			case <-time.After(time.Duration(float64(longest) * r.Float64() * r.Float64())):
				j.signal(syscall.SIGKILL)
			}
			code := j.wait()
			if code == 128+9 {
				kills++
				continue
			}
			if code != 0 || j.result() != want[rounds%len(jobs)] {
				saveJournal(t, dir)
				t.Fatalf("after %d kills (seed %d): exit code %d, result %q, not %q, stderr: %s",
					kills, seed, code, j.result(), want[rounds%len(jobs)], &j.stderr)
			}
			break
		}
	}
	t.Logf("%d kills survived in %d runs, no wrong sum", kills, rounds)
}

// saveJournal keeps the journal of a run that went wrong.
func saveJournal(t *testing.T, dir string) {
	to, err := os.CreateTemp("", "procpool-journal-*")
	if err != nil {
		return
	}
	defer to.Close()
	text, _ := os.ReadFile(filepath.Join(dir, "j"))
	to.Write(text)
	t.Logf("its journal is kept as %s", to.Name())
}

// A journal that a living run writes is nobody else's: neither another run's
// nor a merge's. When the run has ended it can be continued.
func TestOneJournalOneRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"run", "--procs", "2", "--chunk-size", "1e7", "--journal", "j", "--resume", "3e9"}
	first := start(t, dir, "procpool", append(args[:len(args):len(args)], "--start", "0")...)
	first.eventually("the journal is there", func() bool {
		info, err := os.Stat(filepath.Join(dir, "j"))
		return err == nil && info.Size() > 0
	})
	for _, other := range [][]string{args, {"merge", "j"}} {
		j := start(t, dir, "procpool", other...)
		if code := j.wait(); code != 2 {
			t.Errorf("exit code %d, not 2", code)
		}
		expect(t, j.stdout.String(), `^$`)
		expect(t, j.stderr.String(), `^procpool: journal j is in use by another process\nhint: .*\n$`)
	}
	first.signal(syscall.SIGTERM)
	if code := first.wait(); code != 143 && code != 0 {
		t.Errorf("exit code %d, not 143", code)
	}
	expect(t, first.stderr.String(), `^procpool: ended by SIGTERM: \d+ of 300 chunks are done\n`+
		`hint: journal j holds \d+ of 300 chunks \([0-9.]+ %\); the same command with --resume goes on\n$`)
	last := start(t, dir, "procpool", args...)
	if code, want := last.wait(), resultOf(t, "--chunk-size", "1e7", "3e9"); code != 0 || last.result() != want {
		t.Errorf("exit code %d, result %q, not %q, stderr: %s", code, last.result(), want, &last.stderr)
	}
}
