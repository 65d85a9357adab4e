package cli

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
)

// A dealtShare says which part of the input a run computes.
type dealtShare struct {
	share  journal.Share  // zero: the whole
	deal   string         // journal.Cyclic, or "" for consecutive chunks
	only   *ipc.Ledger    // the share's indices; nil: the whole
	rest   string         // the journal whose missing chunks are divided; "": all chunks are
	part   []ipc.Interval // with rest, the share's intervals
	chunks int64          // the number of chunks to compute
}

func (r *runCommand) shareFlags() []cli.Flag {
	deals := choice(&r.deal, "", blocks, journal.Cyclic)
	return []cli.Flag{
		&cli.GenericFlag{Category: categoryBatch, Name: "share", Value: newValue(&r.share, "", readShare).offering("auto"), Usage: "compute only share `K/N`, K from 1 to N, or auto: the share that a batch engine's variables name (array, indexed job, ranks); {share} in the name of the journal becomes K"},
		&cli.GenericFlag{Category: categoryBatch, Name: "deal", Value: deals, Usage: "deal chunks to shares by `HOW`: blocks (consecutive ones, the default), or cyclic (K, K+N, ...) for work that is uneven over the input"},
	}
}

// blocks is the value of --deal for consecutive chunks.
const blocks = "blocks"

func readShare(text string) (share journal.Share, err error) {
	if text == "auto" {
		share, _, err = journal.AutoShare(os.Getenv)
	} else {
		share, err = journal.ParseShare(text)
	}
	if err != nil {
		return share, badInput(fmt.Errorf("--share: %w", err))
	}
	return share, nil
}

// alike returns a note if this process is one of several ranks (srun -n, MPI) that all
// compute the same: the whole, or the share of their array task.
func alike(share journal.Share, getenv func(string) string) string {
	ranks, err := journal.FindRank(getenv)
	if err != nil || ranks.N < 2 {
		return ""
	}
	what := "the whole"
	if share.N > 0 {
		task, _, err := journal.ArrayShare(getenv)
		if err != nil || task != share {
			return ""
		}
		what = fmt.Sprintf("share %v", share)
	}
	return fmt.Sprintf("this is one of %d processes that were started together (%s is %d), and each computes %s; with --share auto each computes a part",
		ranks.N, ranks.By, ranks.K-1, what)
}

// cut sets the grid, and which of its chunks the run computes. The grid of a share does not
// depend on the number of workers, so that shares from different machines fit together.
func (r *runCommand) cut(c *cli.Context) error {
	if r.deal == blocks {
		r.deal = ""
	}
	if note := alike(r.share, os.Getenv); note != "" {
		r.note("%s", note)
	}
	if r.share.N == 0 {
		if c.IsSet("deal") {
			return usage("--deal needs --share: it says which chunks a share has")
		}
		if r.grid = r.options.Grid(r.spec, r.whole); r.exec != nil {
			r.grid = r.exec.grid(r)
		}
		r.chunks = r.grid.N
		return nil
	}
	if r.grid = r.share.Grid(r.whole, r.spec.Grain); r.chunkSize > 0 {
		r.grid = ipc.ChunkGrid(r.whole, r.chunkSize)
	}
	r.journalPath = strings.ReplaceAll(r.journalPath, "{share}", strconv.FormatInt(r.share.K, 10))
	r.only = r.share.Of(r.grid, r.deal)
	if err := r.divideRest(c.Context); err != nil {
		return err
	}
	for run := range r.only.Runs() {
		first, end := r.grid.Within(run)
		r.chunks += end - first
	}
	if r.chunks == 0 && r.rest == "" {
		r.note("share %v is empty: the input has only %s", r.share, text.Plural(r.grid.N, "chunk"))
	}
	return nil
}

// mostParts limits the intervals of a share of a rest, because its journal's header lists
// them.
const mostParts = 500

// restNote returns a note on which journal a share of a rest is written to.
func (r *runCommand) restNote() string {
	if r.rest == "" {
		return ""
	}
	return fmt.Sprintf("journal %s is only read: share %v of the chunks that it lacks goes to %s", r.rest, r.share, r.journalPath)
}

// divideRest divides only the missing chunks, if --journal names an existing journal of
// the whole: of an unfinished run, or of a merge of some shares. It only reads that
// journal, so that all shares of the rest can be computed at the same time.
func (r *runCommand) divideRest(ctx context.Context) error {
	path := r.journalPath
	before, err := journal.ReadHeader(path)
	if !r.resume || path == "" || err != nil || before.Share != (journal.Share{}) {
		return nil // openJournal reports errors
	}
	if r.chunkSize == 0 {
		r.grid = before.Grid()
	}
	if err := before.Match(path, r.header()); err != nil {
		return badInput(err)
	}
	ctx, release := r.bounded(ctx)
	defer release()
	set, err := journal.Open(ctx, []string{path})
	if err != nil {
		if r.during = "while reading journal " + path; ctx.Err() != nil {
			return err
		}
		return journalError(err)
	}
	r.only = r.share.OfRest(r.grid, set.Missing(), r.deal)
	r.part = slices.AppendSeq(make([]ipc.Interval, 0), r.only.Runs())
	if len(r.part) > mostParts {
		return usageHint(fmt.Sprintf("journal %s lacks too many separate intervals: share %v would have %d, and can have at most %d", path, r.share, len(r.part), mostParts),
			"divide it into more shares, or continue it as a whole")
	}
	r.rest, r.journalPath = path, fmt.Sprintf("%s.%d-of-%d", path, r.share.K, r.share.N)
	return nil
}

// parts yields the chunks that the run computes, in order.
func (r *runCommand) parts() iter.Seq[ipc.Interval] {
	if r.only == nil {
		return r.grid.All()
	}
	return func(yield func(ipc.Interval) bool) {
		for run := range r.only.Runs() {
			first, end := r.grid.Within(run)
			for p := first; p < end; p++ {
				if !yield(r.grid.At(p)) {
					return
				}
			}
		}
	}
}

// computeNothing is compute for an empty share, which needs no workers.
func (r *runCommand) computeNothing(ctx context.Context) error {
	if r.pool != nil {
		r.pool.Close()
	}
	r.outcome = pool.Outcome{Status: pool.Done, Grid: r.grid}
	r.value = r.spec.NewFold().Value()
	r.err = r.ended(r.journal.finish(ctx, r))
	r.outcome.Wall = time.Since(r.begin)
	r.untraced = r.trace.write(r)
	return nil
}

// within returns the least interval that contains the run's chunks.
func (r *runCommand) within() ipc.Interval {
	if r.only == nil {
		return r.whole
	}
	iv := ipc.Interval{Start: r.whole.End, End: r.whole.End}
	for run := range r.only.Runs() {
		iv = ipc.Interval{Start: min(iv.Start, run.Start), End: run.End}
	}
	return iv
}

// over describes what the run computes: "[0, 25)", or "share 2/4 of [0, 100)".
func (r *runCommand) over() string {
	if iv := r.within(); r.only == nil || r.only.Total() == iv.Len() {
		return iv.String()
	}
	if r.rest != "" {
		return fmt.Sprintf("share %v of what %s lacks of %v", r.share, r.rest, r.whole)
	}
	return fmt.Sprintf("share %v of %v", r.share, r.whole)
}
