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

var crashes = flag.Int("crashes", 100, "how often TestKilledRunsResumeToTheSameBits kills a run; fewer times where that is slow")

// A run with a journal is killed at random moments and resumed by the same
// command, again and again, until in the end it is left alone: the result has
// the same bits as that of a run that nobody disturbed, for a task with exact
// partials and for one without, whatever the number of workers at each start.
func TestKilledRunsResumeToTheSameBits(t *testing.T) {
	long(t)
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 8))
	slow := time.Now().Add(30 * time.Second) // there are enough kills then
	kills, runs := 0, 0
	for i, args := range [][]string{
		{"--chunk-size", "1e6", "2e9"},
		{"--task", "pi-fast", "--chunk-size", "1015808", "3e10"},
	} {
		want := resultOf(t, args...)
		disturbed := func() bool { return kills < *crashes*(i+1)/2 && (kills < 10*(i+1) || time.Now().Before(slow)) }
		for ; disturbed(); runs++ {
			dir := t.TempDir()
			j, n := killAndResume(t, r, dir, args, disturbed, &kills)
			if j.wait() != 0 || j.result() != want {
				keepJournal(t, dir)
				t.Fatalf("after %d kills (seed %d): result %q, not %q, stderr: %s", n, seed, j.result(), want, &j.stderr)
			}
		}
	}
	t.Logf("%d kills survived in %d runs, no wrong sum", kills, runs)
}

// killAndResume starts the same run until it comes to its end, and kills it as
// long as disturbed says so. It counts the kills.
func killAndResume(t *testing.T, r *rand.Rand, dir string, args []string, disturbed func() bool, kills *int) (last *job, n int) {
	for {
		j := start(t, dir, "procpool", append([]string{"run", "--journal", "j", "--resume", "--procs", strconv.Itoa(1 + r.IntN(3))}, args...)...)
		longest := 100 * time.Millisecond // while it starts
		if r.IntN(2) == 0 {
			longest = 900 * time.Millisecond // while it writes, which it does about twice a second
		}
		if disturbed() {
			select {
			case <-j.ended:
			case <-time.After(time.Duration(r.Int64N(int64(longest)))):
				j.signal(syscall.SIGKILL)
			}
		}
		if j.wait() != 128+int(syscall.SIGKILL) {
			return j, n
		}
		*kills++
		n++
	}
}

// keepJournal keeps the journal of a run that went wrong.
func keepJournal(t *testing.T, dir string) {
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
	endless := []string{"run", "--procs", "2", "--chunk-size", "1e7", "--journal", "j", "--resume", "1e15"}
	first := start(t, dir, "procpool", endless...)
	first.eventually("the journal is there", func() bool {
		info, err := os.Stat(filepath.Join(dir, "j"))
		return err == nil && info.Size() > 0
	})
	for _, other := range [][]string{endless, {"merge", "j"}} {
		j := start(t, dir, "procpool", other...)
		if code := j.wait(); code != 2 {
			t.Errorf("exit code %d, not 2", code)
		}
		expect(t, j.stdout.String(), `^$`)
		expect(t, j.stderr.String(), `^procpool: journal j is in use by another process\nhint: .*\n$`)
	}
	first.awaitWork()
	first.signal(syscall.SIGTERM)
	if code := first.wait(); code != 143 {
		t.Errorf("exit code %d, not 143", code)
	}
	goOn := `\nhint: journal j holds \d+ of 100000000 chunks \(0 %\); the same command with --resume goes on\n$`
	expect(t, first.stderr.String(), `^procpool: ended by SIGTERM: \d+ of 100000000 chunks are done`+goOn)
	next := start(t, dir, "procpool", append([]string{"run", "--deadline", "1s"}, endless[1:]...)...)
	if code := next.wait(); code != 124 {
		t.Errorf("exit code %d, not 124", code)
	}
	expect(t, next.stderr.String(), `^procpool: the deadline has passed: \d+ of 100000000 chunks are done`+goOn)
}
