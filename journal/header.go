package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"procpool/ipc"
)

// format is the version of the journal format that this package writes and reads.
const format = 1

// magic is how every journal begins; the format's number follows.
const magic = `{"procpool_journal":`

// A Header says whose chunks a journal holds. Task, TaskVersion, Interval,
// Grain, Exact, ChunkSize and Chunks are what the sum depends on: they make up
// the [Header.Key], and two journals belong together when they agree in them.
// The other fields describe one journal.
type Header struct {
	Task        string       `json:"task"`
	TaskVersion string       `json:"task_version"`
	Interval    ipc.Interval `json:"interval"` // of the whole input, also in a share
	Grain       int64        `json:"grain"`    // cuts fall on multiples of it; 0 means 1
	Exact       bool         `json:"exact"`    // partials may be added up in any order, to the same bits
	ChunkSize   int64        `json:"chunk_size"`
	Chunks      int64        `json:"chunks"` // with ChunkSize the grid: see ipc.Grid

	Procs   int       `json:"procs,omitzero"`  // the worker count that the grid was cut for; 0 when a chunk size was asked for
	Share   Share     `json:"share,omitzero"`  // the zero Share is the whole
	Merged  int       `json:"merged,omitzero"` // how many journals of runs were added up to this one; 0 for a run's own
	Build   string    `json:"build,omitzero"`
	Created time.Time `json:"created"` // [Create] and [Resume] set it when it is zero
}

// headerLine is how a header is written: the format before it, its key behind.
type headerLine struct {
	Format int `json:"procpool_journal"`
	Header
	Key string `json:"key"`
}

// Grid is the grid on which chunks are cut.
func (h Header) Grid() ipc.Grid { return ipc.Grid{Whole: h.Interval, Size: h.ChunkSize, N: h.Chunks} }

// Key binds what the sum depends on; the package documentation defines it.
func (h Header) Key() string {
	hash := fnv.New128a()
	fmt.Fprintf(hash, "procpool journal %d\n%q\n%q\n%d %d\n%d\n%d %d\n%t\n", format,
		h.Task, h.TaskVersion, h.Interval.Start, h.Interval.End, max(h.Grain, 1), h.ChunkSize, h.Chunks, h.Exact)
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// Covers is the interval that this journal is to cover: its share, or the whole.
func (h Header) Covers() ipc.Interval { return h.Share.Interval(h.Grid()) }

// Parts yields the chunks of the grid that make up iv, in order. The bounds of
// iv must be cuts of the grid, as those of every gap in a journal are.
func (h Header) Parts(iv ipc.Interval) iter.Seq[ipc.Interval] {
	return func(yield func(ipc.Interval) bool) {
		grid := h.Grid()
		first, ok1 := cut(grid, iv.Start)
		end, ok2 := cut(grid, iv.End)
		if !ok1 || !ok2 {
			panic(fmt.Sprintf("journal: %v does not lie on the grid of %d chunks of %d over %v", iv, grid.N, grid.Size, grid.Whole))
		}
		for p := first; p < end; p++ {
			if !yield(grid.At(p)) {
				return
			}
		}
	}
}

// cut is the number of the chunk that starts at x, or N for the end of the
// whole. Chunks that are empty, as all but the last are in a grid of size 0,
// do not count: no line records them.
func cut(g ipc.Grid, x int64) (int64, bool) {
	switch {
	case x == g.Whole.End:
		return g.N, true
	case x < g.Whole.Start || x > g.Whole.End:
		return 0, false
	case g.Size == 0:
		return g.N - 1, x == g.Whole.Start
	}
	p := (x - g.Whole.Start) / g.Size
	return p, p < g.N && (x-g.Whole.Start)%g.Size == 0
}

// validate reports why h cannot head a journal. It also protects readers:
// behind it no arithmetic on the grid can overflow.
func (h Header) validate() error {
	if err := h.Interval.Validate(); err != nil {
		return err
	}
	n := h.Interval.Len()
	switch {
	case h.Task == "":
		return errors.New("it names no task")
	case h.Grain < 0 || h.ChunkSize < 0 || h.Chunks < 0:
		return errors.New("its grain, chunk size or number of chunks is negative")
	case h.ChunkSize%max(h.Grain, 1) != 0:
		return fmt.Errorf("its chunk size %d is not a multiple of its grain %d", h.ChunkSize, h.Grain)
	case n > 0 && h.Chunks == 0, h.ChunkSize > 0 && h.Chunks > 1 && h.Chunks-1 > (n-1)/h.ChunkSize:
		return fmt.Errorf("%d chunks of %d do not cut %v", h.Chunks, h.ChunkSize, h.Interval)
	}
	return h.Share.validate()
}

// bound lists the fields that the key binds, as pairs of a name and a value.
func (h Header) bound() [][2]string {
	return [][2]string{
		{"task", h.Task},
		{"task version", strconv.Quote(h.TaskVersion)},
		{"interval", h.Interval.String()},
		{"grain", strconv.FormatInt(max(h.Grain, 1), 10)},
		{"chunk grid", fmt.Sprintf("%d chunks of %d", h.Chunks, h.ChunkSize)},
		{"exactness", strconv.FormatBool(h.Exact)},
	}
}

// match returns nil if a journal at path with header have may be continued, or
// added to, where want is expected; otherwise a *MismatchError.
func match(path string, have, want Header, share bool) error {
	h, w := have.bound(), want.bound()
	if share {
		h = append(h, [2]string{"share", have.Share.String()})
		w = append(w, [2]string{"share", want.Share.String()})
	}
	for i := range w {
		if h[i] != w[i] {
			return &MismatchError{Path: path, Field: w[i][0], Have: h[i][1], Want: w[i][1]}
		}
	}
	return nil
}

// appendHeader appends the header's line to b.
func appendHeader(b []byte, h Header) ([]byte, error) {
	text, err := json.Marshal(headerLine{format, h, h.Key()})
	if err != nil {
		return b, err
	}
	if len(text) > maxHeader/2 {
		return b, fmt.Errorf("its header would take %d bytes", len(text))
	}
	// Without its closing brace: seal puts that behind the checksum.
	return seal(append(b, text[:len(text)-1]...), len(b), ""), nil
}

// parseHeader decodes a complete first line, without its newline. The reason
// of an error is for a [DamageError], but for *FormatError.
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
