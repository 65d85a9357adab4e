package kernel

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	_ encoding.BinaryAppender    = Accumulator{}
	_ encoding.BinaryUnmarshaler = (*Accumulator)(nil)
)

// rawBytes is the length of the limbs of an Accumulator.
const rawBytes = 32

// nanByte is the encoding of NaN.
const nanByte = 0xff

// AppendBinary appends the encoding of a, 1 to 33 bytes, to b. The first byte is k, the
// number of zero bytes omitted at the low end. The others are a big-endian two's
// complement integer of the smallest possible length. The value is that integer
// times 256^k * 2^-192. Zero is the single byte 0, NaN the single byte 255. Equal sums
// have equal encodings. The error is always nil.
func (a Accumulator) AppendBinary(b []byte) ([]byte, error) {
	if a.nan {
		return append(b, nanByte), nil
	}
	var raw [rawBytes]byte
	for i, limb := range a.limbs {
		binary.BigEndian.PutUint64(raw[rawBytes-8*(i+1):], limb)
	}
	digits := bytes.TrimRight(raw[:], "\x00")
	if len(digits) == 0 {
		return append(b, 0), nil
	}
	dropped := rawBytes - len(digits)
	for redundantSign(digits) {
		digits = digits[1:]
	}
	return append(append(b, byte(dropped)), digits...), nil
}

// UnmarshalBinary decodes what AppendBinary wrote. It returns an error for anything
// else, even for another encoding of the same value, and then does not change a.
func (a *Accumulator) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errors.New("exact sum: no bytes")
	}
	if len(b) == 1 {
		switch b[0] {
		case 0:
			*a = Accumulator{}
		case nanByte:
			*a = notANumber
		default:
			return fmt.Errorf("exact sum: single byte %#02x is neither zero nor NaN", b[0])
		}
		return nil
	}
	dropped, digits := int(b[0]), b[1:]
	switch {
	case dropped+len(digits) > rawBytes:
		return fmt.Errorf("exact sum: %d bytes, more than %d", dropped+len(digits), rawBytes)
	case digits[len(digits)-1] == 0 || redundantSign(digits):
		return errors.New("exact sum: not in its shortest form")
	}
	var raw [rawBytes]byte
	if digits[0]&0x80 != 0 {
		for i := range rawBytes - dropped - len(digits) {
			raw[i] = 0xff
		}
	}
	copy(raw[rawBytes-dropped-len(digits):], digits)
	a.nan = false
	for i := range a.limbs {
		a.limbs[i] = binary.BigEndian.Uint64(raw[rawBytes-8*(i+1):])
	}
	return nil
}

// redundantSign reports whether the first byte of a two's complement integer only
// repeats the sign of the second one.
func redundantSign(digits []byte) bool {
	return len(digits) > 1 &&
		(digits[0] == 0 && digits[1]&0x80 == 0 || digits[0] == 0xff && digits[1]&0x80 != 0)
}
