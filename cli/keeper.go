package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
	"procpool/task"
)

// A keeper keeps a run's journal. A nil keeper keeps none.
type keeper struct {
	path    string
	spec    *task.Spec
	writer  *journal.Writer
	share   bool       // the journal is of a share, not of the whole
	earlier ipc.Ledger // finished by earlier runs
	host    string
	partial []byte // a buffer
	broken  bool   // the journal could not be written
}

// readJournal reads --journal, --resume and --share, opens the journal, and
// narrows the run to its share.
func (r *running) readJournal(c *call) error {
	path := c.String("journal")
	if path == "" {
		switch {
		case c.Bool("resume"):
			return usageHint("--resume needs --journal FILE", "the journal says what is done already")
		case c.IsSet("journal"):
			return usage("--journal needs the name of a file")
		}
	}
	share, err := readShare(c)
	if err != nil {
		return err
	}
	if share.N > 0 && r.job.chunkSize == 0 && r.job.procs == 0 {
		return usageHint("--share needs --chunk-size K, or --procs N: shares that are cut differently do not fit together",
			"for example --chunk-size "+strconv.FormatInt(max(r.job.whole.Len()/100, 1), 10))
	}
	header := journal.Header{
		Task: r.job.spec.Name, TaskVersion: r.job.spec.Version, Interval: r.job.whole, Grain: r.job.spec.Grain, Exact: r.job.spec.Exact,
		ChunkSize: r.grid.Size, Chunks: r.grid.N, Share: share, Build: ipc.Build(),
	}
	if r.job.chunkSize == 0 {
		header.Procs = r.options.Procs
	}
	if path != "" {
		if err := canWrite("--journal", path); err != nil {
			return err
		}
		if err := r.openJournal(path, header, c.Bool("resume")); err != nil {
			return journalError(err)
		}
	}
	if share.N > 0 {
		r.grid = shareOf(r.grid, share)
	}
	return nil
}

func (r *running) openJournal(path string, header journal.Header, resume bool) (err error) {
	k := &keeper{path: path, spec: r.job.spec, share: header.Share.N > 0}
	k.host, _ = os.Hostname()
	if !resume {
		k.writer, err = journal.Create(path, header)
		r.journal = k
		return err
	}
	// The grid of a journal that was cut for other workers holds: how many
	// there are today is no reason to begin again.
	if before, err := journal.ReadHeader(path); err == nil && r.job.chunkSize == 0 {
		header.ChunkSize, header.Chunks, header.Procs = before.ChunkSize, before.Chunks, before.Procs
	}
	k.writer, err = journal.Resume(path, header, func(iv ipc.Interval, _ []byte) error { return k.earlier.Add(iv) })
	r.grid, r.journal = header.Grid(), k
	return err
}

func readShare(c *call) (journal.Share, error) {
	var share journal.Share
	var err error
	switch text := c.String("share"); {
	case !c.IsSet("share"):
	case text == "auto":
		share, err = journal.AutoShare(os.Getenv)
	default:
		share, err = journal.ParseShare(text)
	}
	if err != nil {
		return share, badInput(fmt.Errorf("--share: %w", err))
	}
	return share, nil
}

// shareOf is the part of a grid that a share has, with the same cuts.
func shareOf(grid ipc.Grid, share journal.Share) ipc.Grid {
	part := ipc.Grid{Whole: share.Interval(grid), Size: grid.Size}
	switch {
	case part.Whole.Len() == 0:
		return ipc.ChunkGrid(part.Whole, 1)
	case part.Whole.End == grid.Whole.End:
		part.N = grid.N - (part.Whole.Start-grid.Whole.Start)/max(grid.Size, 1)
	default:
		part.N = part.Whole.Len() / grid.Size
	}
	return part
}

// done tells which chunks earlier runs finished; nil if none.
func (k *keeper) done() func(ipc.Interval) bool {
	if k == nil || k.earlier.Total() == 0 {
		return nil
	}
	return func(iv ipc.Interval) bool { return iv.Len() > 0 && k.earlier.Covers(iv) }
}

func (k *keeper) append(c pool.Chunk) (err error) {
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

// close ends the journal of a run that did not begin.
func (k *keeper) close() {
	if k != nil {
		k.writer.Close()
	}
}

// finish closes the journal, and gives a run that was done in several parts
// its value: the sum of what the journal holds.
func (k *keeper) finish(r *running) error {
	if k == nil {
		return nil
	}
	if err := k.writer.Close(); err != nil {
		k.broken = true
		return nameJournal(err)
	}
	if r.err != nil || r.outcome.Earlier == 0 {
		return nil
	}
	value, err := k.sum()
	r.value = value
	return err
}

func (k *keeper) sum() (any, error) {
	set, err := journal.Open([]string{k.path})
	if err != nil {
		return nil, err
	}
	if !k.share { // what a share covers, the run has proved
		if err := set.Complete(); err != nil {
			return nil, err
		}
	}
	fold := k.spec.NewFold(0)
	err = set.Fold(func(_ ipc.Interval, partial []byte) error { return fold.AddEncoded(partial) })
	return fold.Value(), err
}

// hint says how to go on.
func (k *keeper) hint() string {
	if k == nil {
		return ""
	}
	status, err := journal.ReadCoverage(k.path)
	if err != nil {
		return ""
	}
	if k.broken {
		return holds(k.path, status) + " and is valid; make room, then the same command with --resume goes on"
	}
	return holds(k.path, status) + "; the same command with --resume goes on"
}

// holds says how much a journal holds.
func holds(path string, s journal.Coverage) string {
	return fmt.Sprintf("journal %s holds %d of %d chunks (%s %%)", path, s.Done, s.Chunks, formatFloat(s.Percent()))
}

// journalError is a journal that cannot be had as it was asked for. What fails
// while it is written is no mistake of the user's.
func journalError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) && (path.Op == "write" || path.Op == "sync") {
		return nameJournal(err)
	}
	return badInput(nameJournal(err))
}

// nameJournal says "journal" where the system's error says "open".
func nameJournal(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("journal %s: %w", path.Path, path.Err)
	}
	return err
}

// slurmEnd is the end of the Slurm job that this process is part of.
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

// jsonValue is v as JSON, with a string for what JSON cannot hold.
func jsonValue(v any) json.RawMessage {
	raw, err := json.Marshal(number{v})
	if err != nil {
		return nil
	}
	return raw
}
