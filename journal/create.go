package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"procpool/internal/newfile"
	"procpool/ipc"
)

// Create creates a journal at path with header h. The file appears at path when its
// header is on disk, and nothing is replaced. The error is an *ExistsError if path
// exists, or that of creating the file.
func Create(path string, h Header) (*Writer, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, &ExistsError{path}
	}
	file, w, err := createUnnamed(path, h)
	if err != nil {
		return nil, err
	}
	if err := publish(file); err != nil {
		file.Discard()
		w.unlock()
		return nil, err
	}
	w.at = path
	return w.start()
}

// createUnnamed creates a journal that is to appear at path. It is locked and has a
// header. publish or Discard must follow.
func createUnnamed(path string, h Header) (*newfile.File, *Writer, error) {
	file, err := newfile.Create(path)
	if err != nil {
		return nil, nil, err
	}
	w := &Writer{path: path, at: file.Temp(), file: file.File}
	if w.unlock, err = lockNew(file.File, path); err == nil {
		if err = w.writeHeader(h); err != nil {
			w.unlock()
		}
	}
	if err != nil {
		file.Discard()
		return nil, nil, discarded(openError(path, err))
	}
	return file, w, nil
}

// publish gives a journal its own name.
func publish(file *newfile.File) error {
	err := file.Publish()
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrExist):
		return &ExistsError{file.Name()}
	case errors.As(err, &path) && path.Op == "sync": // of the file, or of its folder once it has its name
		return &SyncError{Path: file.Name(), Err: path.Err, Discarded: file.Temp() != ""}
	}
	return err
}

// Resume continues the journal at path, or creates it if it does not exist or is empty.
// h must be the header that the journal was created with, except for Build, Created,
// Procs and Merged. Resume calls replay, unless it is nil, for each chunk in the order
// of the file. replay may keep the partial. Resume removes bytes after the last complete
// line, which a killed writer left. It never empties a file that has anything in it. It
// leaves out lines that are damaged, see [Writer.Damage].
//
// The error is a *MismatchError for another header, a *LockedError if another run
// is writing to the journal, a *FormatError if the file is not a journal, a
// *DamageError if its header is damaged, that of opening the file, that of ctx, or the first one of replay.
//
// A caller whose sum depends on the order of the chunks need not keep them until the
// gaps are filled: after Close, [Open] and [Set.Fold] return all chunks in the order of
// their intervals.
func Resume(ctx context.Context, path string, h Header, replay func(iv ipc.Interval, partial []byte) error) (*Writer, error) {
	for {
		if err := checkRegular(path); err != nil {
			return nil, err
		}
		file, unlock, err := openExclusive(path)
		if errors.Is(err, fs.ErrNotExist) {
			w, err := Create(path, h)
			if exists := (*ExistsError)(nil); !errors.As(err, &exists) {
				return w, err
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is a symbolic link to a file that does not exist")}
			}
			continue // another run has created it meanwhile
		}
		if err != nil {
			return nil, openError(path, err)
		}
		w := &Writer{path: path, at: path, file: file, unlock: unlock}
		if err := w.resume(ctx, h, replay); err != nil {
			file.Close()
			unlock()
			return nil, err
		}
		return w.start()
	}
}

// openError returns the error for a caller of Create, Resume or Open.
func openError(path string, err error) error {
	if errors.Is(err, errLocked) {
		return &LockedError{Path: path}
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
	w.header, w.size = h, int64(len(line))
	if err := w.file.Sync(); err != nil {
		return &SyncError{Path: w.path, Err: withoutPath(err)}
	}
	return nil
}

// resume reads the file. It writes a header if the file is empty.
func (w *Writer) resume(ctx context.Context, h Header, replay func(ipc.Interval, []byte) error) error {
	info, err := w.file.Stat()
	if err != nil || info.Size() == 0 {
		if err != nil {
			return err
		}
		return w.writeHeader(h)
	}
	r, err := newReader(ctx, w.path, w.file)
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
	w.header, w.size, w.ledger, w.damage = r.header, r.offset, r.ledger, r.damage
	if again, err := w.file.Stat(); err != nil || again.Size() != info.Size() { // nothing of another process's must go
		return cmp.Or(err, error(&SharedError{w.path}))
	}
	return w.file.Truncate(w.size)
}
