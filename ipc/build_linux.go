package ipc

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// buildID returns Go's build ID, or "". It reads the notes of the program where the
// kernel has mapped them, which takes about a microsecond and neither a file nor /proc.
func buildID() string {
	headers, size := programHeaders()
	if size == 0 {
		return ""
	}
	type header struct { // as in the file; see elf(5)
		kind                 uint32
		addr, length, offset uint64
	}
	at := func(i int) header {
		b := headers[i*size:][:size]
		order := binary.NativeEndian
		if size == 56 {
			return header{order.Uint32(b), order.Uint64(b[16:]), order.Uint64(b[32:]), order.Uint64(b[8:])}
		}
		return header{order.Uint32(b), uint64(order.Uint32(b[8:])), uint64(order.Uint32(b[16:])), uint64(order.Uint32(b[4:]))}
	}
	const note, self = 4, 6
	// A position-independent program is not where its headers say.
	bias, known := uint64(0), false
	for i := range len(headers) / size {
		if h := at(i); h.kind == self {
			bias, known = uint64(uintptr(unsafe.Pointer(&headers[0])))-h.addr, true
		}
	}
	for i := range len(headers) / size {
		if h := at(i); known && h.kind == note && h.length < 1<<12 {
			if id := goNote(mapped(uintptr(bias+h.addr), int(h.length))); id != "" {
				return id
			}
		}
	}
	return ""
}

// programHeaders returns the program headers of this program and the size of each; 0 if
// they are unknown.
func programHeaders() (headers []byte, size int) {
	vector, err := unix.Auxv()
	if err != nil {
		return nil, 0
	}
	const address, each, number = 3, 4, 5
	var found [6]uintptr
	for _, entry := range vector {
		if entry[0] < uintptr(len(found)) {
			found[entry[0]] = entry[1]
		}
	}
	if size = int(found[each]); found[address] == 0 || size != 56 && size != 32 || found[number] > 100 {
		return nil, 0
	}
	return mapped(found[address], size*int(found[number])), size
}

// mapped returns memory that the kernel has mapped from the program's file.
func mapped(address uintptr, size int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
}

// goNote returns the build ID in a segment of ELF notes. Each note has the lengths of a
// name and of a description and a kind in four bytes each, then the two, padded to
// multiples of four.
func goNote(notes []byte) string {
	const idKind = 4
	for len(notes) >= 12 {
		order := binary.NativeEndian
		name, description, kind := uint64(order.Uint32(notes)), uint64(order.Uint32(notes[4:])), order.Uint32(notes[8:])
		from := 12 + (name+3)&^3
		to := from + description
		if to > uint64(len(notes)) {
			break
		}
		if kind == idKind && name == 4 && string(notes[12:16]) == "Go\x00\x00" {
			return string(notes[from:to])
		}
		notes = notes[min(uint64(len(notes)), (to+3)&^3):]
	}
	return ""
}
