package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"strconv"
	"time"

	"procpool/ipc"
)

// Limits on the length of a line in bytes. They keep a reader from reading a large
// file that is not a journal into memory.
const (
	maxHeader = 64 << 10
	maxLine   = 1 << 30
)

// An Entry is a finished chunk for [Writer.Append]. A resumed run and a merge use only
// Interval and Partial. The other fields are for people.
type Entry struct {
	Interval ipc.Interval
	Partial  []byte          // encoded partial result, at least one byte
	Value    json.RawMessage // partial for people to read; empty means null
	Worker   int             // index of the worker that computed the chunk
	PID      int             // of that worker
	Host     string          // of that worker
	Started  time.Time
	Elapsed  time.Duration // for which the task ran
	Attempts int           // how often the chunk was started, at least 1; 0 for a sum of several chunks, whose line has no Worker to Attempts
}

// check returns an error if c cannot be recorded. checkInterval checks the interval.
func (c *Entry) check() error {
	switch {
	case len(c.Partial) == 0:
		return fmt.Errorf("the partial of %v is empty", c.Interval)
	case len(c.Partial)+len(c.Value) > maxLine/2:
		return fmt.Errorf("the partial of %v takes %d bytes, more than a journal holds", c.Interval, len(c.Partial))
	case len(c.Value) > 0 && (!json.Valid(c.Value) || bytes.IndexByte(c.Value, '\n') >= 0):
		return fmt.Errorf("the value of %v is not one line of JSON", c.Interval)
	}
	return nil
}

// checkInterval returns an error if a journal with header h that has to cover covers
// cannot have a line with iv. iv must lie on the grid and in covers, and must be a
// single chunk unless the task is exact.
func checkInterval(h *Header, covers *ipc.Ledger, iv ipc.Interval) error {
	first, ok1 := chunkAt(h.Grid(), iv.Start)
	end, ok2 := chunkAt(h.Grid(), iv.End)
	switch {
	case iv.Start >= iv.End:
		return fmt.Errorf("%v is empty", iv)
	case !ok1 || !ok2:
		return fmt.Errorf("%v does not lie on the grid of %s", iv, h.gridText())
	case !covers.Covers(iv):
		return fmt.Errorf("%v does not lie in share %s of %v", iv, h.shareText(), h.Interval)
	case !h.Exact && end-first != 1:
		return fmt.Errorf("%v spans %d chunks, but the task is not exact", iv, end-first)
	}
	return nil
}

// appendLine appends the line of c to b. It does not allocate if b has room. host is
// c.Host as JSON.
func appendLine(b []byte, c *Entry, host, key string) []byte {
	start := len(b)
	b = append(b, `{"interval":{"start":`...)
	b = strconv.AppendInt(b, c.Interval.Start, 10)
	b = append(b, `,"end":`...)
	b = strconv.AppendInt(b, c.Interval.End, 10)
	b = append(b, `},"partial":"`...)
	b = base64.StdEncoding.AppendEncode(b, c.Partial)
	b = append(b, `","value":`...)
	if len(c.Value) > 0 {
		b = append(b, c.Value...)
	} else {
		b = append(b, "null"...)
	}
	if c.Attempts > 0 {
		b = append(b, `,"worker":`...)
		b = strconv.AppendInt(b, int64(c.Worker), 10)
		b = append(b, `,"pid":`...)
		b = strconv.AppendInt(b, int64(c.PID), 10)
		b = append(b, `,"host":`...)
		b = append(b, host...)
		b = append(b, `,"started":"`...)
		b = c.Started.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `","seconds":`...)
		b = strconv.AppendFloat(b, c.Elapsed.Seconds(), 'g', -1, 64)
		b = append(b, `,"attempts":`...)
		b = strconv.AppendInt(b, int64(c.Attempts), 10)
	}
	return seal(b, start, key)
}

// A record has the fields of a line that a run and a merge use.
type record struct {
	Interval ipc.Interval `json:"interval"`
	Partial  []byte       `json:"partial"`
}

// parseLine decodes the complete line of a chunk without its newline. The record shares
// no memory with the line.
func parseLine(line []byte, h *Header, covers *ipc.Ledger, key string) (record, error) {
	if err := checkSeal(line, key); err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return record{}, err
	}
	if len(r.Partial) == 0 {
		return record{}, errors.New("it has no partial")
	}
	return r, checkInterval(h, covers, r.Interval)
}

// crcTable returns the table of the CRC, which the library builds at the first use.
func crcTable() *crc64.Table { return crc64.MakeTable(crc64.ECMA) }

const (
	sealOpen  = `,"sum":"`
	sealClose = `"}`
	sealLen   = len(sealOpen) + 16 + len(sealClose)
)

// appendSeal appends the checksum of key and body, and the end of the line.
func appendSeal(b, body []byte, key string) []byte {
	const hex = "0123456789abcdef"
	sum := crc64.Update(0, crcTable(), []byte(key))
	sum = crc64.Update(sum, crcTable(), body)
	b = append(b, sealOpen...)
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hex[sum>>shift&15])
	}
	return append(b, sealClose...)
}

// seal appends the checksum and the end of the line that begins at b[start].
func seal(b []byte, start int, key string) []byte {
	return append(appendSeal(b, b[start:], key), '\n')
}

// checkSeal verifies the checksum of a line without its newline.
func checkSeal(line []byte, key string) error {
	at := len(line) - sealLen
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sealOpen)) || !bytes.HasSuffix(line, []byte(sealClose)) {
		return errors.New("it does not end with a checksum")
	}
	var room [sealLen]byte
	if want := appendSeal(room[:0], line[:at], key); !bytes.Equal(line[at:], want) {
		return errors.New("its checksum does not fit: the line was changed, or comes from another journal")
	}
	return nil
}
