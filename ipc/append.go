package ipc

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
)

// The functions here append messages to a byte slice field by field, because a
// request and a result must not allocate. The caller encodes their payloads (arg and
// value) with AppendValue.

// AppendRequestHead appends a request without its arg. The caller must append the
// encoded arg.
func AppendRequestHead(dst []byte, id uint64, task string) []byte {
	return AppendRequestHeadWith(dst, id, task, RequestOptions{})
}

// AppendRequestHeadWith is AppendRequestHead for a request with options.
func AppendRequestHeadWith(dst []byte, id uint64, task string, o RequestOptions) []byte {
	if o == (RequestOptions{}) {
		dst = append(dst, "\x81\xa7request\x83\xa2id"...)
	} else {
		dst = appendOptions(append(dst, "\x81\xa7request"...), o)
		dst = append(dst, "\xa2id"...)
	}
	dst = appendUint(dst, id)
	dst = append(dst, "\xa4task"...)
	dst = appendString(dst, task)
	return append(dst, "\xa3arg"...)
}

// AppendBatchHead appends a batch of n requests without their args, the first of which
// has the id. The caller must append the n encoded args, one after the other.
func AppendBatchHead(dst []byte, id uint64, task string, n int, o RequestOptions) []byte {
	dst = appendOptions(append(dst, "\x81\xa7request"...), o)
	dst = appendUint(append(dst, "\xa2id"...), id)
	dst = appendString(append(dst, "\xa4task"...), task)
	return appendHeader(append(dst, "\xa4args"...), n, 0x90, 15, 0xdc, 0xdd)
}

// appendOptions begins a request's body with what is not zero in o.
func appendOptions(dst []byte, o RequestOptions) []byte {
	at := len(dst)
	dst = append(dst, 0x83)
	if o.TimeoutSeconds != 0 {
		dst[at]++
		dst = appendFloat(append(dst, "\xaftimeout_seconds"...), o.TimeoutSeconds)
	}
	if o.Index != 0 {
		dst[at]++
		dst = appendUint(append(dst, "\xa5index"...), o.Index)
	}
	if o.Attempt != 0 {
		dst[at]++
		dst = appendUint(append(dst, "\xa7attempt"...), o.Attempt)
	}
	return dst
}

// AppendCancel appends a cancel message.
func AppendCancel(dst []byte, c Cancel) []byte {
	if c.Queued {
		dst = append(dst, "\x81\xa6cancel\x82\xa6queued\xc3\xa2id"...)
	} else {
		dst = append(dst, "\x81\xa6cancel\x81\xa2id"...)
	}
	return appendUint(dst, c.ID)
}

// AppendIntervalWith is AppendInterval with an encoded value beside the interval.
func AppendIntervalWith(dst []byte, iv Interval, with []byte) []byte {
	at := len(dst)
	dst = AppendInterval(dst, iv)
	if len(with) > 0 {
		dst[at]++ // one pair more
		dst = append(append(dst, "\xa4with"...), with...)
	}
	return dst
}

// AppendInterval appends iv as the arg of an interval task.
func AppendInterval(dst []byte, iv Interval) []byte {
	dst = append(dst, "\x82\xa5start"...)
	dst = appendInt(dst, iv.Start)
	dst = append(dst, "\xa3end"...)
	return appendInt(dst, iv.End)
}

// AppendOpen appends an open message.
func AppendOpen(dst []byte, o Open) []byte {
	if o.Trace {
		dst = append(dst, "\x81\xa4open\x84\xa5trace\xc3\xa8protocol\x01\xb1heartbeat_seconds"...)
	} else {
		dst = append(dst, "\x81\xa4open\x83\xa8protocol\x01\xb1heartbeat_seconds"...)
	}
	dst = appendFloat(dst, o.HeartbeatSeconds)
	dst = append(dst, "\xb1max_message_bytes"...)
	return appendInt(dst, o.MaxMessageBytes)
}

// AppendBeat appends a beat and a newline, which both sides skip.
func AppendBeat(dst []byte) []byte { return append(dst, "\x81\xa4beat\x80\n"...) }

// AppendEnd appends an end message.
func AppendEnd(dst []byte) []byte { return append(dst, "\x81\xa3end\x80"...) }

// AppendHello appends a hello message.
func AppendHello(dst []byte, h Hello) []byte {
	pairs := byte(6)
	for _, more := range [...]bool{len(h.Abouts) > 0, h.Beats, h.StartError != "", h.Batches} {
		if more {
			pairs++
		}
	}
	dst = append(append(dst, "\x81\xa5hello"...), 0x80|pairs)
	dst = append(dst, "\xa8protocol\x01\xa5build"...)
	dst = appendString(dst, h.Build)
	dst = append(dst, "\xa3pid"...)
	dst = appendInt(dst, h.PID)
	dst = append(dst, "\xa4host"...)
	dst = appendString(dst, h.Host)
	dst = append(dst, "\xa4cpus"...)
	dst = appendString(dst, h.CPUs)
	dst = append(dst, "\xa5tasks"...)
	dst = appendHeader(dst, len(h.Tasks), 0x90, 15, 0xdc, 0xdd)
	for _, t := range h.Tasks {
		dst = appendString(dst, t)
	}
	if len(h.Abouts) > 0 {
		dst = appendAbouts(append(dst, "\xa5about"...), h.Abouts)
	}
	if h.Beats {
		dst = append(dst, "\xa5beats\xc3"...)
	}
	if h.StartError != "" {
		dst = appendString(append(dst, "\xabstart_error"...), h.StartError)
	}
	if h.Batches {
		dst = append(dst, "\xa7batches\xc3"...)
	}
	return append(dst, '\n')
}

func appendAbouts(dst []byte, abouts map[string]About) []byte {
	dst = appendHeader(dst, len(abouts), 0x80, 15, 0xde, 0xdf)
	for _, name := range slices.Sorted(maps.Keys(abouts)) {
		about := abouts[name]
		dst = appendString(dst, name)
		dst = appendString(append(dst, "\x83\xa7version"...), about.Version)
		dst = appendInt(append(dst, "\xa5grain"...), about.Grain)
		dst = append(dst, "\xa5exact\xc2"...)
		if about.Exact {
			dst[len(dst)-1] = 0xc3
		}
	}
	return dst
}

// AppendResultHead appends a result without its value. The caller must append the
// encoded value and a newline. AppendResultHead ignores r.Value, and writes start and
// end only if r.HasInterval is set.
func AppendResultHead(dst []byte, r Result) []byte {
	pairs := byte(3)
	if r.HasInterval {
		pairs += 2
	}
	if r.Began != 0 {
		pairs++
	}
	dst = append(append(dst, "\x81\xa6result"...), 0x80|pairs)
	if r.HasInterval {
		dst = append(dst, "\xa5start"...)
		dst = appendInt(dst, r.Interval.Start)
		dst = append(dst, "\xa3end"...)
		dst = appendInt(dst, r.Interval.End)
	}
	if r.Began != 0 {
		dst = append(dst, "\xa5began"...)
		dst = appendFloat(dst, r.Began)
	}
	dst = append(dst, "\xa2id"...)
	dst = appendUint(dst, r.ID)
	dst = append(dst, "\xa7seconds"...)
	dst = appendFloat(dst, r.Seconds)
	return append(dst, "\xa5value"...)
}

// AppendAnswers appends the answers to requests of a batch, without any, the first of
// which has the id. The caller must append at least one with AppendAnswer, then call
// SetAnswers with the returned place, and append a newline.
func AppendAnswers(dst []byte, id uint64) (out []byte, at int) {
	dst = appendUint(append(dst, "\x81\xa6result\x82\xa2id"...), id)
	dst = append(dst, "\xa7answers\xdc\x00\x00"...)
	return dst, len(dst)
}

// AppendAnswer appends the seconds of one more answer. The caller must append the
// encoded value.
func AppendAnswer(dst []byte, seconds float64) []byte { return appendFloat(dst, seconds) }

// MaxAnswers is how many answers one message can have.
const MaxAnswers = math.MaxUint16 / 2

// SetAnswers says how many answers there are in a message that AppendAnswers began.
func SetAnswers(dst []byte, at, n int) { binary.BigEndian.PutUint16(dst[at-2:], uint16(2*n)) }

// AppendFail appends a fail message.
func AppendFail(dst []byte, f Fail) []byte {
	pairs := byte(3)
	for _, more := range [...]bool{f.NotBegun, f.Timeout, len(f.Is) > 0} {
		if more {
			pairs++
		}
	}
	dst = append(append(dst, "\x81\xa4fail"...), 0x80|pairs)
	if f.NotBegun {
		dst = append(dst, "\xa5begun\xc2"...)
	}
	if f.Timeout {
		dst = append(dst, "\xa7timeout\xc3"...)
	}
	if len(f.Is) > 0 {
		dst = appendList(append(dst, "\xa2is"...), f.Is, appendUint)
	}
	dst = append(dst, "\xa2id"...)
	dst = appendUint(dst, f.ID)
	dst = append(dst, "\xa5error"...)
	dst = appendString(dst, f.Error)
	dst = append(dst, "\xa5stack"...)
	dst = appendString(dst, f.Stack)
	return append(dst, '\n')
}

// AppendBye appends a bye message.
func AppendBye(dst []byte, b Bye) []byte {
	pairs := byte(8)
	if b.GC != nil {
		pairs += 2
	}
	if b.RanOn != "" {
		pairs++
	}
	if b.ParentSilent {
		pairs++
	}
	dst = append(append(dst, "\x81\xa3bye"...), 0x80|pairs)
	if b.ParentSilent {
		dst = append(dst, "\xadparent_silent\xc3"...)
	}
	if b.GC != nil {
		dst = append(dst, "\xa9gc_cycles"...)
		dst = appendCount(dst, b.GC.Cycles)
		dst = append(dst, "\xb0gc_pause_seconds"...)
		dst = appendFloat(dst, b.GC.PauseSeconds)
	}
	if b.RanOn != "" {
		dst = append(dst, "\xa6ran_on"...)
		dst = appendString(dst, b.RanOn)
	}
	dst = append(dst, "\xacuser_seconds"...)
	dst = appendFloat(dst, b.UserSeconds)
	dst = append(dst, "\xaesystem_seconds"...)
	dst = appendFloat(dst, b.SystemSeconds)
	for _, c := range b.All() {
		dst = appendCount(appendString(dst, c.Name), *c.Count)
	}
	return append(dst, '\n')
}

// appendCount appends an unknown count as nil.
func appendCount(dst []byte, c Count) []byte {
	if !c.known {
		return append(dst, 0xc0)
	}
	return appendInt(dst, c.n)
}

func appendUint(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(dst, byte(v))
	case v < 1<<8:
		return append(dst, 0xcc, byte(v))
	case v < 1<<16:
		return append(dst, 0xcd, byte(v>>8), byte(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), v)
}

func appendInt(dst []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(dst, uint64(v))
	case v >= -32:
		return append(dst, byte(v))
	case v >= math.MinInt8:
		return append(dst, 0xd0, byte(v))
	case v >= math.MinInt16:
		return append(dst, 0xd1, byte(v>>8), byte(v))
	case v >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(v))
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(v))
}

func appendString(dst []byte, s string) []byte {
	if len(s) > 31 && len(s) < 256 {
		return append(append(dst, 0xd9, byte(len(s))), s...)
	}
	return append(appendHeader(dst, len(s), 0xa0, 31, 0xda, 0xdb), s...)
}

func appendBytes(dst, b []byte) []byte {
	if len(b) < 256 {
		return append(append(dst, 0xc4, byte(len(b))), b...)
	}
	return append(appendHeader(dst, len(b), 0, -1, 0xc5, 0xc6), b...)
}

// appendList appends an array, or nil for a nil list.
func appendList[T any](dst []byte, list []T, element func([]byte, T) []byte) []byte {
	if list == nil {
		return append(dst, 0xc0)
	}
	dst = appendHeader(dst, len(list), 0x90, 15, 0xdc, 0xdd)
	for _, v := range list {
		dst = element(dst, v)
	}
	return dst
}

// appendHeader appends the length n: as part of the tag if it is at most small,
// otherwise as two or four bytes after tag16 or tag32.
func appendHeader(dst []byte, n int, fix byte, small int, tag16, tag32 byte) []byte {
	switch {
	case n <= small:
		return append(dst, fix|byte(n))
	case n < 1<<16:
		return append(dst, tag16, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, tag32), uint32(n))
}
