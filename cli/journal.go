package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
	"procpool/task"
)

// A journalSink writes a run's journal. A nil journalSink writes none.
type journalSink struct {
	path    string
	spec    *task.Spec
	writer  *journal.Writer
	share   bool       // it belongs to a share, not to the whole
	earlier ipc.Ledger // finished by earlier runs
	done    int64      // chunks in earlier
	host    string
	partial []byte // a buffer
	broken  bool   // the journal could not be written
}

// openJournal creates or resumes the file of --journal, if the flag is set.
func (r *runCommand) openJournal(c *cli.Context) error {
	path := r.journalPath
	switch {
	case path == "" && r.resume:
		return usageHint("--resume needs --journal FILE", "the journal says what is done already")
	case path == "" && c.IsSet("journal"):
		return usage("--journal needs the name of a file")
	case path == "":
		return nil
	}
	if err := canWrite("--journal", path); err != nil {
		return err
	}
	if err := r.ownFile(path); err != nil {
		return err
	}
	ctx, release := r.bounded(c.Context)
	defer release()
	err := r.createJournal(ctx, path)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		r.during = "while reading journal " + path
		return err
	}
	if err != nil {
		return journalError(err)
	}
	return nil
}

// header describes the run in its journal.
func (r *runCommand) header() journal.Header {
	header := journal.Header{
		Task: r.spec.Name, TaskVersion: r.spec.Version, Interval: r.whole, Grain: r.spec.Grain, Exact: r.spec.Exact,
		Foreign: r.options.Worker != nil, Share: r.share, Build: ipc.Build(),
	}
	r.exec.describe(&header)
	header.SetGrid(r.grid)
	if r.share.N > 0 {
		header.Deal, header.Part = r.deal, r.part
	} else if r.chunkSize == 0 {
		header.Procs = r.options.Procs
	}
	return header
}

func (r *runCommand) createJournal(ctx context.Context, path string) (err error) {
	header := r.header()
	k := &journalSink{path: path, spec: r.spec, share: r.share.N > 0}
	k.host, _ = os.Hostname()
	if !r.resume {
		k.writer, err = journal.Create(path, header)
		r.journal = k
		return err
	}
	// On --resume without --chunk-size, the journal's grid is kept even if the
	// number of workers changed. That of a share does not depend on it.
	if before, err := journal.ReadHeader(path); err == nil && r.chunkSize == 0 && r.share.N == 0 {
		header.SetGrid(before.Grid())
		header.Procs = before.Procs
	}
	k.writer, err = journal.Resume(ctx, path, header, func(iv ipc.Interval, _ []byte) error { return k.earlier.Add(iv) })
	if r.grid, r.journal = header.Grid(), k; r.only == nil {
		r.chunks = r.grid.N
	}
	if err == nil {
		k.done = k.writer.Coverage().Done
		r.noteDamage(k.writer.Damage(), "its chunk is computed again")
	}
	return err
}

// noteDamage prints a note for each of the first damaged lines; so says what follows.
func (p *program) noteDamage(damage []*journal.DamageError, so string) {
	const most = 3
	for _, bad := range damage[:min(len(damage), most)] {
		p.note("%s; %s", text.OneLine(bad.Error()), so)
	}
	if n := len(damage) - most; n > 0 {
		p.note("%s like these; %s", text.Plural(int64(n), "more line"), so)
	}
}

// ownFile refuses a journal that is also the run's trace, standard output or error.
func (r *runCommand) ownFile(path string) error {
	if r.tracePath != "" && sameFile(path, r.tracePath) {
		return usage("--journal and --trace are the same file, %s", path)
	}
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		here, err1 := stream.Stat()
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && here.Mode().IsRegular() && os.SameFile(here, there) {
			return usageHint(fmt.Sprintf("--journal %s is the file that %s is redirected to", path, filepath.Base(stream.Name())), "name another file for one of them")
		}
	}
	return nil
}

// sameFile reports whether two paths name the same file, also if it does not exist yet.
func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	if errors.Is(err1, fs.ErrNotExist) && errors.Is(err2, fs.ErrNotExist) && filepath.Base(a) == filepath.Base(b) {
		x, err1 = os.Stat(filepath.Dir(a))
		y, err2 = os.Stat(filepath.Dir(b))
	}
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// finishedEarlier returns what earlier runs finished; nil if nothing.
func (k *journalSink) finishedEarlier() *ipc.Ledger {
	if k == nil || k.earlier.Total() == 0 {
		return nil
	}
	return &k.earlier
}

// finishedChunks is how many chunks earlier runs finished.
func (k *journalSink) finishedChunks() int64 {
	if k == nil {
		return 0
	}
	return k.done
}

func (k *journalSink) append(c pool.Chunk) (err error) {
	if k == nil {
		return nil
	}
	if k.partial, err = c.Append(k.partial[:0]); err != nil {
		return err
	}
	host := c.Host
	if host == "" {
		host = k.host
	}
	elapsed := time.Duration(c.Seconds * float64(time.Second))
	err = k.writer.Append(journal.Entry{
		Interval: c.Interval, Partial: k.partial, Value: jsonValue(c.Value()),
		Worker: c.Worker, PID: c.PID, Host: host, Started: time.Now().Add(-elapsed), Elapsed: elapsed, Attempts: c.Attempts,
	})
	k.broken = k.broken || err != nil
	return nameJournal(err)
}

// close closes the journal when the run has failed to begin.
func (k *journalSink) close() {
	if k != nil {
		k.writer.Close()
	}
}

// finish closes the journal. If earlier runs computed a part of it, finish sets the run's
// value to the sum over the whole journal.
func (k *journalSink) finish(ctx context.Context, r *runCommand) error {
	if k == nil {
		return nil
	}
	if err := k.writer.Close(); err != nil {
		k.broken = true
		return nameJournal(err)
	}
	if r.err != nil || r.outcome.Earlier == 0 && !r.exec.concats() {
		return nil
	}
	value, err := k.sum(ctx, r)
	if err == nil {
		r.value = value
	}
	return err
}

func (k *journalSink) sum(ctx context.Context, r *runCommand) (any, error) {
	set, err := journal.Open(ctx, []string{k.path})
	if err != nil {
		return nil, err
	}
	if !k.share { // for a share, the run itself has checked it
		if err := set.Complete(); err != nil {
			return nil, err
		}
	}
	return r.addUp(ctx, set, k.spec, !r.json)
}

// hint returns how to continue a run that ended with err, and if read is set also how much
// the journal holds.
func (k *journalSink) hint(err error, read bool) string {
	if k == nil {
		return ""
	}
	goOn := "the same command with --resume goes on"
	var unsynced *journal.SyncError
	switch {
	case errors.As(err, &unsynced): // the content of the file is uncertain
		return ""
	case noRoom(err):
		goOn = " and is valid; make room, then " + goOn
	case errors.Is(err, syscall.EFBIG):
		goOn = " and is valid; raise the limit of file sizes (ulimit -f), then " + goOn
	case k.broken: // the error says all
		return ""
	default:
		goOn = "; " + goOn
	}
	if !read {
		return strings.TrimLeft(goOn, "; ")
	}
	if !k.broken { // what was appended is in the file
		return holds(k.path, k.writer.Coverage()) + goOn
	}
	ctx, cancel := context.WithTimeout(context.Background(), endsWithin/2)
	defer cancel()
	status, err := journal.ReadCoverage(ctx, k.path)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return strings.TrimLeft(goOn, "; ")
	case err != nil:
		return ""
	}
	return holds(k.path, status) + goOn
}

// noRoom reports whether a disk, or a user's part of it, is full.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// holds prints how much of the run a journal holds.
func holds(path string, s journal.Coverage) string {
	return fmt.Sprintf("journal %s holds %d of %d chunks (%s %%)", path, s.Done, s.Chunks, text.Float(s.Percent()))
}

// journalError returns err as the user's mistake (exit code 2), unless it is a failed
// write or a full disk (exit code 1).
func journalError(err error) error {
	var path *fs.PathError
	var unsynced *journal.SyncError
	if errors.As(err, &path) && (path.Op == "write" || path.Op == "sync") || errors.As(err, &unsynced) || noRoom(err) {
		return nameJournal(err)
	}
	return badInput(nameJournal(err))
}

// nameJournal replaces the operation in a system error, such as "open", by "journal".
func nameJournal(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("journal %s: %w", path.Path, path.Err)
	}
	return err
}

// slurmEnd returns the end of the Slurm job that this process is part of.
func slurmEnd() (time.Time, error) {
	text := os.Getenv("SLURM_JOB_END_TIME")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if text == "" || err != nil {
		return time.Time{}, usageHint("--deadline auto: SLURM_JOB_END_TIME is not set", "outside a Slurm job, name a time such as --deadline 1h")
	}
	const margin = 30 * time.Second // Slurm itself ends the job then
	end := time.Unix(seconds, 0).Add(-margin)
	if !end.After(time.Now()) {
		return end, badInput(errors.New("--deadline auto: the Slurm job ends within 30 seconds"))
	}
	return end, nil
}

// jsonValue encodes a result, or returns nil if JSON cannot hold it.
func jsonValue(v any) json.RawMessage {
	raw, err := json.Marshal(resultValue{v})
	if err != nil {
		return nil
	}
	return raw
}
