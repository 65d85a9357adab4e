package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"procpool/ipc"
)

// The crash tests change these variables, so that lines reach the file in small pieces.
var (
	// syncAfter is how long a line may wait until its fsync begins. That leaves the disk
	// half of the second in which a chunk must become durable.
	syncAfter = 500 * time.Millisecond
	// writeAbove is the size of the buffer, in bytes, above which Append writes it.
	writeAbove = 64 << 10
)

// A Writer appends chunks to a journal. It locks the journal until Close, or until the
// process ends. A goroutine of the Writer writes and fsyncs what was appended within
// about a second. The methods may be called from several goroutines.
type Writer struct {
	path   string
	header Header
	key    string
	whole  ipc.Interval // interval that the journal has to cover
	file   *os.File
	info   fs.FileInfo // of file, to notice if path becomes another file

	mu       sync.Mutex
	ledger   ipc.Ledger // what was appended
	buf      []byte     // complete lines that are not in the file yet
	size     int64      // size of the file up to the end of its last complete line
	dirty    bool       // lines were appended since the last fsync began
	err      error      // the first error; nothing is written after it
	closed   bool
	host     string // host of the last chunk
	hostJSON string // host as JSON

	wake    chan struct{} // tells the goroutine that dirty became true
	quit    chan struct{} // closed by Close
	done    chan struct{} // closed by the goroutine when it ends
	closing sync.Once
}

// Create creates a journal at path with header h. The file is on disk when Create
// returns. The error is an *ExistsError if path exists, or that of creating the file.
func Create(path string, h Header) (*Writer, error) {
	file, err := openExclusive(path, os.O_CREATE|os.O_EXCL)
	if errors.Is(err, fs.ErrExist) {
		return nil, &ExistsError{path}
	}
	if err != nil {
		return nil, openError(path, err)
	}
	w := &Writer{path: path, file: file}
	if err := w.writeHeader(h); err != nil {
		file.Close()
		os.Remove(path) // Create made it, and it has no chunks
		return nil, err
	}
	return w.start()
}

// Resume continues the journal at path, or creates it if it does not exist. h must be
// the header that the journal was created with, except for Build, Created, Procs and
// Merged. Resume calls replay, unless it is nil, for each chunk in the order of the
// file. replay may keep the partial. Resume removes bytes after the last complete line,
// which a killed writer left.
//
// The error is a *MismatchError for another header, a *LockedError if another run
// is writing to the journal, a *FormatError if the file is not a journal, a
// *DamageError, that of opening the file, or the first one of replay.
//
// A caller whose sum depends on the order of the chunks need not keep them until the
// gaps are filled: after Close, [Open] and [Set.Fold] return all chunks in the order of
// their intervals.
func Resume(path string, h Header, replay func(iv ipc.Interval, partial []byte) error) (*Writer, error) {
	err := checkRegular(path)
	if err != nil {
		return nil, err
	}
	file, err := openExclusive(path, os.O_CREATE)
	if err != nil {
		return nil, openError(path, err)
	}
	w := &Writer{path: path, file: file}
	if err := w.resume(h, replay); err != nil {
		file.Close()
		return nil, err
	}
	return w.start()
}

// openError returns the error for a caller of Create, Resume or Open.
func openError(path string, err error) error {
	if errors.Is(err, errLocked) {
		return &LockedError{path}
	}
	return err // an *fs.PathError
}

// writeHeader writes the header to an empty file.
func (w *Writer) writeHeader(h Header) error {
	if h.Created.IsZero() {
		h.Created = time.Now().UTC()
	}
	if err := h.validate(); err != nil {
		return fmt.Errorf("create journal %s: %w", w.path, err)
	}
	h.Grain = max(h.Grain, 1)
	line, err := appendHeader(nil, h)
	if err != nil {
		return fmt.Errorf("create journal %s: %w", w.path, err)
	}
	if _, err := w.file.WriteAt(line, 0); err != nil {
		w.file.Truncate(0)
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.header, w.size = h, int64(len(line))
	return syncDir(filepath.Dir(w.path))
}

// resume reads the file. It writes a header if the file has none.
func (w *Writer) resume(h Header, replay func(ipc.Interval, []byte) error) error {
	r, err := newReader(w.path, w.file)
	if f := (*FormatError)(nil); errors.As(err, &f) && f.cut {
		// The writer was killed while it created the file, so there are no chunks.
		if err := w.file.Truncate(0); err != nil {
			return err
		}
		return w.writeHeader(h)
	}
	if err != nil {
		return err
	}
	if err := match(w.path, r.header, h, true); err != nil {
		return err
	}
	for {
		rec, err := r.next()
		if err == io.EOF {
			break
		}
		if err == nil && replay != nil {
			err = replay(rec.Interval, rec.Partial)
		}
		if err != nil {
			return err
		}
	}
	w.header, w.size, w.ledger = r.header, r.offset, r.ledger
	return w.file.Truncate(w.size)
}

// start completes a Writer that has read or written the header, and starts its
// goroutine.
func (w *Writer) start() (*Writer, error) {
	info, err := w.file.Stat()
	if err != nil {
		w.file.Close()
		return nil, err
	}
	w.info, w.key, w.whole = info, w.header.Key(), w.header.Covers()
	w.wake, w.quit, w.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go w.syncLoop()
	return w, nil
}

// Header returns the header that is in the file.
func (w *Writer) Header() Header { return w.header }

// Coverage returns how much the journal covers when all chunks that were appended are
// in the file. After an error, use [ReadCoverage] to see what the file has.
func (w *Writer) Coverage() Coverage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return coverage(&w.header, w.whole, &w.ledger)
}

// Append records a finished chunk. It rarely waits for the disk, and keeps nothing of
// c. It returns an error, and records nothing, if the interval is not on the grid, not
// in the share or recorded already, if the partial is empty, or if the value is not
// JSON. It ignores an empty interval. After a write or fsync has failed, every call
// returns that error.
func (w *Writer) Append(c Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("journal %s: append after close", w.path)
	}
	if w.err != nil || c.Interval.Len() == 0 {
		return w.err
	}
	err := c.check()
	if err == nil {
		err = checkInterval(&w.header, w.whole, c.Interval)
	}
	if err == nil {
		err = w.ledger.Add(c.Interval)
	}
	if err != nil {
		return fmt.Errorf("journal %s: %w", w.path, err)
	}
	if c.Host != w.host || w.hostJSON == "" {
		text, _ := json.Marshal(c.Host) // cannot fail for a string
		w.host, w.hostJSON = c.Host, string(text)
	}
	w.buf = appendLine(w.buf, &c, w.hostJSON, w.key)
	return w.appended()
}

// appended writes the buffer if it is large, and wakes the goroutine for the fsync.
// The caller holds mu.
func (w *Writer) appended() error {
	if len(w.buf) > writeAbove {
		w.write()
	}
	if !w.dirty {
		w.dirty = true
		w.wake <- struct{}{} // does not block: while dirty is false, the channel is empty
	}
	return w.err
}

// write writes the buffer to the file. If only a part is written, write removes an
// incomplete line. If that fails too, nothing follows that line, and readers skip it.
// The caller holds mu.
func (w *Writer) write() {
	if w.err != nil || len(w.buf) == 0 {
		return
	}
	n, err := w.file.WriteAt(w.buf, w.size)
	if err != nil {
		w.err = err
		n = bytes.LastIndexByte(w.buf[:n], '\n') + 1
	}
	w.size += int64(n)
	w.buf = w.buf[:0]
	if err != nil {
		w.file.Truncate(w.size)
	}
}

// syncLoop writes and fsyncs lines until Close. It runs in the goroutine of the Writer.
func (w *Writer) syncLoop() {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
		case <-w.quit:
			return
		}
		select {
		case <-time.After(syncAfter):
		case <-w.quit:
			return
		}
		w.sync()
	}
}

// sync writes the buffer and waits for the disk. It does not hold mu while it waits, so
// that chunks can be appended.
func (w *Writer) sync() {
	w.mu.Lock()
	w.write()
	w.dirty = false
	w.mu.Unlock()
	err := w.file.Sync()
	if err == nil {
		err = w.checkPath()
	}
	if err != nil {
		w.fail(err)
	}
}

// fail keeps the first error.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// checkPath returns an error if the journal was deleted or replaced by another file.
// What is written then is lost when the process ends.
func (w *Writer) checkPath() error {
	info, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, w.info) {
		return fmt.Errorf("journal %s was removed or replaced during the run", w.path)
	}
	return nil
}

// Close writes and fsyncs the remaining lines and unlocks the journal. It returns the
// first error of the Writer. Further calls return the same.
func (w *Writer) Close() error {
	w.closing.Do(func() {
		close(w.quit)
		<-w.done
		w.mu.Lock()
		w.closed = true
		w.mu.Unlock()
		w.sync()
		if err := w.file.Close(); err != nil {
			w.fail(err)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
