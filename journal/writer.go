package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"procpool/ipc"
)

// The crash tests change these variables.
var (
	// syncAfter is how long a line may wait until its fsync begins. That leaves the disk
	// half of the second in which a chunk must become durable. It is also how often a
	// Writer looks whether another process writes to its journal.
	syncAfter = 500 * time.Millisecond
	// writeAbove is the size of the buffer, in bytes, above which a merge writes it.
	writeAbove = 64 << 10
)

// A Writer appends chunks to a journal. It locks the journal until Close, or until the
// process ends. A goroutine of the Writer writes and fsyncs what was appended within
// about a second. The methods may be called from several goroutines.
type Writer struct {
	path   string
	at     string // where the file is: path, or its temporary name
	header Header
	key    string
	covers *ipc.Ledger // what the journal has to cover
	file   *os.File
	info   fs.FileInfo // of file, to notice if path becomes another file

	mu       sync.Mutex
	ledger   ipc.Ledger // what was appended
	buf      []byte     // complete lines that are not in the file yet
	size     int64      // size of the file up to the end of its last complete line
	dirty    bool       // lines were appended since the last fsync began
	err      error      // the first error; nothing is written after it
	closed   bool
	damage   []*DamageError // that Resume left out
	unlock   func()         // see lockNew
	host     string         // host of the last chunk
	hostJSON string         // host as JSON

	wake      chan struct{} // tells the goroutine that dirty became true
	quit      chan struct{} // closed by finish
	done      chan struct{} // closed by the goroutine when it ends
	finishing sync.Once
	closing   sync.Once
}

// start completes a Writer that has read or written the header, and starts its
// goroutine.
func (w *Writer) start() (*Writer, error) {
	info, err := w.file.Stat()
	if err != nil {
		w.file.Close()
		w.unlock()
		return nil, err
	}
	setAppend(w.file)
	w.info, w.key, w.covers = info, w.header.Key(), w.header.Covers()
	w.wake, w.quit, w.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go w.syncLoop()
	return w, nil
}

// Header returns the header that is in the file.
func (w *Writer) Header() Header { return w.header }

// Damage returns the lines that Resume left out since they are damaged, at most the first
// hundred. Their chunks have to be computed again.
func (w *Writer) Damage() []*DamageError { return w.damage }

// Coverage returns how much the journal covers when all chunks that were appended are
// in the file. After an error, use [ReadCoverage] to see what the file has.
func (w *Writer) Coverage() Coverage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return coverage(&w.header, w.covers, &w.ledger)
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
		err = checkInterval(&w.header, w.covers, c.Interval)
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
	w.write() // at once: a line that is in the file outlives this process
	return w.appended()
}

// appended wakes the goroutine for the fsync. The caller holds mu.
func (w *Writer) appended() error {
	if !w.dirty {
		w.dirty = true
		w.wake <- struct{}{} // does not block: while dirty is false, the channel is empty
	}
	return w.err
}

// write writes the buffer to the file. If only a part is written, write keeps the lines
// that are complete and removes the rest. If that fails too, nothing follows the
// incomplete line, and readers skip it. The caller holds mu.
func (w *Writer) write() {
	if w.err != nil || len(w.buf) == 0 {
		return
	}
	if _, w.err = w.file.WriteAt(w.buf, w.size); w.err == nil {
		w.size += int64(len(w.buf))
	} else {
		w.size += int64(bytes.LastIndexByte(w.arrived(), '\n') + 1)
		w.file.Truncate(w.size)
	}
	w.buf = w.buf[:0]
}

// arrived returns the beginning of the buffer that is in the file after a write that
// failed. WriteAt does not tell: it counts none of the bytes of its last system call.
func (w *Writer) arrived() []byte {
	there := make([]byte, len(w.buf))
	n, _ := w.file.ReadAt(there, w.size)
	same := 0
	for same < n && there[same] == w.buf[same] {
		same++
	}
	return w.buf[:same]
}

// syncLoop fsyncs lines, and watches the file, until Close. It runs in the goroutine of
// the Writer.
func (w *Writer) syncLoop() {
	defer close(w.done)
	tick := time.NewTicker(syncAfter)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.watch()
			continue
		case <-w.wake:
		case <-w.quit:
			return
		}
		select {
		case <-time.After(syncAfter):
		case <-w.quit:
			return
		}
		w.watch()
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
	if err != nil {
		err = &SyncError{Path: w.path, Err: withoutPath(err)}
	} else {
		err = w.checkPath()
	}
	if err != nil {
		w.fail(err)
	}
}

// watch notices that another process writes to the journal, as may happen where two
// machines have no locks in common: the file has not the size that this Writer gave it.
// An empty line, which readers ignore, then tells the other one, too.
func (w *Writer) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.file.Stat()
	if err != nil || w.err != nil || !info.Mode().IsRegular() || info.Size() == w.size {
		return
	}
	w.err = &SharedError{w.path}
	w.file.WriteAt([]byte("\n"), max(info.Size(), w.size))
}

// fail keeps the first error. A failed fsync takes precedence: it makes all that was
// written before uncertain.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var sync *SyncError
	if w.err == nil || errors.As(err, &sync) && !errors.As(w.err, &sync) {
		w.err = err
	}
}

// checkPath returns an error if the journal was deleted or replaced by another file.
// What is written then is lost when the process ends.
func (w *Writer) checkPath() error {
	info, err := os.Stat(w.at)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, w.info) {
		return fmt.Errorf("journal %s was removed or replaced during the run", w.path)
	}
	return nil
}

// Close writes and fsyncs the remaining lines and unlocks the journal. It returns the
// first error of the Writer. Further calls return the same.
func (w *Writer) Close() error {
	w.finish()
	w.closing.Do(func() {
		if err := w.file.Close(); err != nil {
			w.fail(err)
		}
		w.unlock()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// finish writes and fsyncs the remaining lines. The file stays open and locked.
func (w *Writer) finish() error {
	w.finishing.Do(func() {
		close(w.quit)
		<-w.done
		w.mu.Lock()
		w.closed = true
		w.mu.Unlock()
		w.sync()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
