package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"procpool/internal/text"
	"procpool/ipc"
)

// format is the version of the journal format that this package writes and reads.
const format = 1

// magic is the beginning of every journal. The number of the format follows.
const magic = `{"procpool_journal":`

// A Header says what a journal is about. The sum depends on Task, TaskVersion,
// Interval, Grain, Exact, ChunkSize, Chunks, Longer, Command, Reduce and Input. The [Header.Key] identifies them:
// journals in which they agree belong to the same job. The other fields describe a
// single journal.
type Header struct {
	Task        string       `json:"task"`
	TaskVersion string       `json:"task_version"`
	Interval    ipc.Interval `json:"interval"`         // whole input, also in the journal of a share
	Grain       int64        `json:"grain"`            // see task.Grain; 0 means 1
	Exact       bool         `json:"exact"`            // see task.Exact
	Foreign     bool         `json:"foreign,omitzero"` // computed by workers of another program: partials are numbers
	ChunkSize   int64        `json:"chunk_size"`       // Size of the ipc.Grid
	Chunks      int64        `json:"chunks"`           // N of the ipc.Grid
	Longer      int64        `json:"longer,omitzero"`  // Longer of the ipc.Grid, by one grain

	// What the sum of a program of the user's depends on besides; empty for tasks.
	Command string `json:"command,omitzero"` // quoted for a shell
	Reduce  string `json:"reduce,omitzero"`  // how what it prints is added up
	Input   string `json:"input,omitzero"`   // what it reads

	Procs   int            `json:"procs,omitzero"`  // number of workers that the grid was made for; 0 if the user chose a chunk size
	Share   Share          `json:"share,omitzero"`  // zero for the whole
	Deal    string         `json:"deal,omitzero"`   // Cyclic: the share has chunks K, K+N, ...; "": it has consecutive chunks
	Part    []ipc.Interval `json:"part,omitzero"`   // what the share consists of, if it is one of what another journal lacks
	Merged  int            `json:"merged,omitzero"` // number of journals that were added up to this one; 0 for that of a run
	Build   string         `json:"build,omitzero"`  // program that wrote the journal
	Created time.Time      `json:"created"`         // Create and Resume set it if it is zero
}

// A headerLine is a header with the fields that precede and follow it in the file.
type headerLine struct {
	Format int `json:"procpool_journal"`
	Header
	Key string `json:"key"`
}

// Grid returns the grid of the chunks.
func (h Header) Grid() ipc.Grid {
	g := ipc.Grid{Whole: h.Interval, Size: h.ChunkSize, N: h.Chunks, Longer: h.Longer}
	if h.Longer > 0 {
		g.Grain = max(h.Grain, 1)
	}
	return g
}

// SetGrid sets ChunkSize, Chunks and Longer to those of g.
func (h *Header) SetGrid(g ipc.Grid) { h.ChunkSize, h.Chunks, h.Longer = g.Size, g.N, g.Longer }

// Key returns the key of the job, as the package documentation defines it.
func (h Header) Key() string {
	hash := fnv.New128a()
	fmt.Fprintf(hash, "procpool journal %d\n%q\n%q\n%d %d\n%d\n%d %d\n%t\n", format,
		h.Task, h.TaskVersion, h.Interval.Start, h.Interval.End, max(h.Grain, 1), h.ChunkSize, h.Chunks, h.Exact)
	if h.Foreign {
		fmt.Fprintln(hash, "foreign")
	}
	if h.Command != "" {
		fmt.Fprintf(hash, "%q\n%q\n%q\n", h.Command, h.Reduce, h.Input)
	}
	if h.Longer > 0 {
		fmt.Fprintf(hash, "%d\n", h.Longer)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// Covers returns what the journal has to cover: its share or the whole.
func (h Header) Covers() *ipc.Ledger { return covers(h.Grid(), h.Share, h.Deal, h.Part) }

func covers(grid ipc.Grid, share Share, deal string, part []ipc.Interval) *ipc.Ledger {
	if part == nil {
		return share.Of(grid, deal)
	}
	l := &ipc.Ledger{}
	for _, iv := range part {
		mustAdd(l, iv)
	}
	return l
}

// Parts yields the chunks in iv in order. It panics unless the bounds of iv are bounds
// of chunks, as are those of every gap in a journal.
func (h Header) Parts(iv ipc.Interval) iter.Seq[ipc.Interval] {
	return func(yield func(ipc.Interval) bool) {
		grid := h.Grid()
		first, ok1 := chunkAt(grid, iv.Start)
		end, ok2 := chunkAt(grid, iv.End)
		if !ok1 || !ok2 {
			panic(fmt.Sprintf("journal: %v does not lie on the grid of %s over %v", iv, h.gridText(), grid.Whole))
		}
		for p := first; p < end; p++ {
			if !yield(grid.At(p)) {
				return
			}
		}
	}
}

// chunkAt returns the number of the chunk that starts at x, or N if x is the end of the
// whole, and whether there is such a chunk. Empty chunks do not count, since a journal
// has no lines for them. In a grid of size 0 all but the last are empty.
func chunkAt(g ipc.Grid, x int64) (int64, bool) {
	switch {
	case x == g.Whole.End:
		return g.N, true
	case x < g.Whole.Start || x > g.Whole.End:
		return 0, false
	}
	p := g.Find(x)
	if g.Size == 0 {
		return p, x == g.Whole.Start
	}
	return p, g.At(p).Start == x
}

// validate returns an error if h cannot be the header of a journal. If it returns nil,
// arithmetic on the grid does not overflow.
func (h Header) validate() error {
	if err := h.Interval.Validate(); err != nil {
		return err
	}
	n := h.Interval.Len()
	switch {
	case h.Task == "":
		return errors.New("it names no task")
	case h.Grain < 0 || h.ChunkSize < 0 || h.Chunks < 0 || h.Longer < 0:
		return errors.New("its grain, chunk size or number of chunks is negative")
	case h.ChunkSize%max(h.Grain, 1) != 0:
		return fmt.Errorf("its chunk size %d is not a multiple of its grain %d", h.ChunkSize, h.Grain)
	case n > 0 && h.Chunks == 0, h.ChunkSize > 0 && h.Chunks > 1 && h.Chunks-1 > (n-1)/h.ChunkSize,
		h.Longer > 0 && (h.Longer >= h.Chunks || h.ChunkSize == 0 || h.Longer > (n-1-(h.Chunks-1)*h.ChunkSize)/max(h.Grain, 1)):
		return fmt.Errorf("a grid of %s does not cover %v", h.gridText(), h.Interval)
	case h.Deal != "" && h.Deal != Cyclic:
		return fmt.Errorf("it deals shares in an unknown way, %.40q", h.Deal)
	}
	var part ipc.Ledger
	for _, iv := range h.Part {
		_, ok1 := chunkAt(h.Grid(), iv.Start)
		_, ok2 := chunkAt(h.Grid(), iv.End)
		if err := part.Add(iv); err != nil || !ok1 || !ok2 {
			return fmt.Errorf("its part %v does not lie on its grid, or is there twice", iv)
		}
	}
	return h.Share.validate()
}

// keyFields returns the names and values of the fields that make up the key.
func (h Header) keyFields() [][2]string {
	return [][2]string{
		{"task", h.Task},
		{"task version", strconv.Quote(h.TaskVersion)},
		{"command", cmp.Or(h.Command, "none")},
		{"reduction", cmp.Or(h.Reduce, "none")},
		{"input", cmp.Or(h.Input, "none")},
		{"interval", h.Interval.String()},
		{"grain", strconv.FormatInt(max(h.Grain, 1), 10)},
		{"chunk grid", h.gridText()},
		{"exactness", strconv.FormatBool(h.Exact)},
		{"use of another program's workers", strconv.FormatBool(h.Foreign)},
	}
}

// gridText returns the grid in words: "4 chunks of 25".
func (h Header) gridText() string {
	grid := text.Plural(h.Chunks, "chunk") + " of " + strconv.FormatInt(h.ChunkSize, 10)
	if h.Longer > 0 {
		grid += fmt.Sprintf(" or %d", h.ChunkSize+max(h.Grain, 1))
	}
	return grid
}

// shareText returns the share in words: "2/4", or "2/4, dealt cyclic".
func (h Header) shareText() string {
	what := h.Share.String()
	if h.Deal != "" && h.Share != (Share{}) {
		what += ", dealt " + h.Deal
	}
	if h.Part != nil {
		hash := fnv.New32a()
		fmt.Fprint(hash, h.Part)
		what += fmt.Sprintf(", of what another journal lacked (%d indices, %08x)", h.Covers().Total(), hash.Sum32())
	}
	return what
}

// Match returns nil if the journal at path, which has header h, is of the same job as
// want, and otherwise a *MismatchError.
func (h Header) Match(path string, want Header) error { return match(path, h, want, false) }

// match returns a *MismatchError if header have of the journal at path is that of
// another job than want, or if share is set and the shares differ.
func match(path string, have, want Header, share bool) error {
	h, w := have.keyFields(), want.keyFields()
	if share {
		h = append(h, [2]string{"share", have.shareText()})
		w = append(w, [2]string{"share", want.shareText()})
	}
	for i := range w {
		if h[i] != w[i] {
			return &MismatchError{Path: path, Field: w[i][0], Have: h[i][1], Want: w[i][1]}
		}
	}
	return nil
}

// appendHeader appends the line of the header to b.
func appendHeader(b []byte, h Header) ([]byte, error) {
	line, err := json.Marshal(headerLine{format, h, h.Key()})
	if err != nil {
		return b, err
	}
	if len(line) > maxHeader/2 {
		return b, fmt.Errorf("its header would take %d bytes", len(line))
	}
	// seal appends the checksum and the closing brace.
	return seal(append(b, line[:len(line)-1]...), len(b), ""), nil
}

// parseHeader decodes a complete first line without its newline. An error that is not
// a *FormatError is the reason of a [DamageError].
func parseHeader(path string, line []byte) (Header, error) {
	rest, ok := bytes.CutPrefix(line, []byte(magic))
	if !ok {
		return Header{}, &FormatError{Path: path, Reason: "it does not begin with " + magic}
	}
	digits := rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789"))]
	if string(digits) != strconv.Itoa(format) {
		return Header{}, &FormatError{Path: path, Reason: fmt.Sprintf("it has format %.20q, and this build reads format %d", digits, format)}
	}
	if err := checkSeal(line, ""); err != nil {
		return Header{}, err
	}
	var h headerLine
	if err := json.Unmarshal(line, &h); err != nil {
		return Header{}, err
	}
	if err := h.validate(); err != nil {
		return Header{}, err
	}
	if key := h.Header.Key(); h.Key != key {
		return Header{}, fmt.Errorf("its key is %.40q, but its fields give %q", h.Key, key)
	}
	return h.Header, nil
}
