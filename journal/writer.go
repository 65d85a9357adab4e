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

// Variables, so that the crash tests can make every line reach the file in
// pieces and at odd moments.
var (
	// syncAfter is how long a line may wait for its fsync to begin. Half of the
	// second that is promised is left to the disk.
	syncAfter = 500 * time.Millisecond
	// writeAbove is the size of the buffer, in bytes, above which Append writes.
	writeAbove = 64 << 10
)

// A Writer appends chunks to a journal, which it holds locked until Close; the
// kernel gives the lock up when the process ends in any other way. It owns a
// goroutine that writes and fsyncs what was appended, at least once a second.
// Its methods may be called from several goroutines.
type Writer struct {
	path   string
	header Header
	key    string
	whole  ipc.Interval // that this journal is to cover
	file   *os.File
	info   fs.FileInfo // of file, to notice when path stops naming it

	mu       sync.Mutex
	ledger   ipc.Ledger // what was appended
	buf      []byte     // whole lines that are not in the file yet
	size     int64      // of the file, up to the end of its last whole line
	dirty    bool       // lines were appended since the last fsync began
	err      error      // the first failure: nothing is written after it
	closed   bool
	host     string // the host of the last chunk
	hostJSON string

	wake    chan struct{} // tells the goroutine that dirty became true
	quit    chan struct{} // closed by Close
	done    chan struct{} // closed by the goroutine as it ends
	closing sync.Once
}

// Create makes a new journal at path, with h as its header, and makes it
// durable before it returns. It returns an *ExistsError where a file is
// already, and the error of os.OpenFile for an impossible path.
func Create(path string, h Header) (*Writer, error) {
	file, err := openExclusive(path, os.O_CREATE|os.O_EXCL)
	if errors.Is(err, fs.ErrExist) {
		return nil, &ExistsError{path}
	}
	if err != nil {
		return nil, openError(path, err)
	}
	w := &Writer{path: path, file: file}
	if err := w.begin(h); err != nil {
		file.Close()
		os.Remove(path) // it is ours, and holds nothing
		return nil, err
	}
	return w.start()
}

// Resume continues the journal at path, or creates it where there is none. h
// must be the header it was begun with, but for Build, Created, Procs and
// Merged: otherwise Resume returns a *MismatchError. It calls replay, unless
// that is nil, with each chunk in the order of the file; the bytes of the
// partial are replay's to keep, and an error from it ends Resume with that
// error. Bytes behind the last complete line, left by a writer that was
// killed, are cut off. Other errors: *LockedError while another run writes to
// it, *DamageError, *FormatError for a file that is no journal.
//
// A caller whose sum depends on the order need not keep what is replayed until
// the gaps before it are filled: after Close, [Open] and [Set.Fold] give all
// chunks in the order of their intervals.
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

func openError(path string, err error) error {
	if errors.Is(err, errLocked) {
		return &LockedError{path}
	}
	return err // an *fs.PathError
}

// begin writes the header h to an empty file.
func (w *Writer) begin(h Header) error {
	if h.Created.IsZero() {
		h.Created = time.Now().UTC()
	}
	if err := h.validate(); err != nil {
		return fmt.Errorf("journal %s cannot be created: %w", w.path, err)
	}
	h.Grain = max(h.Grain, 1)
	line, err := appendHeader(nil, h)
	if err != nil {
		return fmt.Errorf("journal %s cannot be created: %w", w.path, err)
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

// resume reads what the file holds, and begins it anew when that is nothing.
func (w *Writer) resume(h Header, replay func(ipc.Interval, []byte) error) error {
	r, err := newReader(w.path, w.file)
	if f := (*FormatError)(nil); errors.As(err, &f) && f.cut {
		// Killed while it was created: nothing was computed yet.
		if err := w.file.Truncate(0); err != nil {
			return err
		}
		return w.begin(h)
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

// start completes a Writer whose file is ready, and starts its goroutine.
func (w *Writer) start() (*Writer, error) {
	info, err := w.file.Stat()
	if err != nil {
		w.file.Close()
		return nil, err
	}
	w.info, w.key, w.whole = info, w.header.Key(), w.header.Covers()
	w.wake, w.quit, w.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go w.keepSynced()
	return w, nil
}

// Header is the journal's header, as the file has it.
func (w *Writer) Header() Header { return w.header }

// Coverage says how far the journal will be when everything appended so far is
// in the file. After an error use [ReadCoverage], which reads what is there.
func (w *Writer) Coverage() Coverage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return status(&w.header, w.whole, &w.ledger)
}

// Append records a finished chunk. It copies what it needs of c, and seldom
// waits for the disk. An interval off the journal's grid, outside its share or
// recorded before, an empty partial, or a value that is not JSON, is an error
// that leaves the journal as it was. An empty interval is not recorded, since
// it has no terms. After a failed write or fsync every call returns that failure.
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
		text, _ := json.Marshal(c.Host) // a string has no error
		w.host, w.hostJSON = c.Host, string(text)
	}
	w.buf = appendLine(w.buf, &c, w.hostJSON, w.key)
	return w.appended()
}

// appended writes the buffer when it is large, and sees to its fsync.
// w.mu is held.
func (w *Writer) appended() error {
	if len(w.buf) > writeAbove {
		w.write()
	}
	if !w.dirty {
		w.dirty = true
		w.wake <- struct{}{} // has room: dirty was false, so the last one was taken
	}
	return w.err
}

// write moves the buffer to the file. w.mu is held. When only a part could be
// written, a line may be torn: it is cut off again. Should that fail as well,
// nothing is written behind it, and readers skip it.
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

// keepSynced is the writer's goroutine, which ends with Close.
func (w *Writer) keepSynced() {
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

// sync writes the buffer and waits for the disk, without w.mu: chunks can be
// appended meanwhile.
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

// fail keeps the first failure, which every later call reports.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// checkPath notices that the journal was deleted or replaced under its name:
// what is written then is lost when the process ends.
func (w *Writer) checkPath() error {
	info, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, w.info) {
		return fmt.Errorf("journal %s was removed or replaced during the run", w.path)
	}
	return nil
}

// Close writes and fsyncs what is left, gives up the lock and returns the first
// failure of the writer's life. Further calls return the same.
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
