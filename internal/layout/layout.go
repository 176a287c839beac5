// Package layout reads the structures that kernels write into buffers: integers at
// offsets, pointers that lead back into the same buffer, and answers of which nobody
// knows the size beforehand.
//
// Numbers are little-endian, as on every architecture that Windows, macOS and the
// BSDs run on and this module is built for. The functions that take an offset panic
// outside the buffer: a decoder compares the length with the size of its structure
// once, refuses what is shorter and accepts what is longer.
package layout

import "encoding/binary"

// U16 returns the 16 bits at an offset.
func U16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }

// U32 returns the 32 bits at an offset.
func U32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// U64 returns the 64 bits at an offset.
func U64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// Word returns the pointer, handle or size at an offset, which has the given number
// of bytes: 8 or 4.
func Word(b []byte, at, bytes int) uint64 {
	if bytes == 8 {
		return U64(b, at)
	}
	return uint64(U32(b, at))
}

// PutWord writes the pointer, handle or size at an offset.
func PutWord(b []byte, at, bytes int, v uint64) {
	if bytes == 8 {
		binary.LittleEndian.PutUint64(b[at:], v)
		return
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(v))
}

// Within returns the n bytes that a pointer leads to, if all of them lie in b, whose
// first byte has the address base.
func Within(b []byte, base, pointer, n uint64) ([]byte, bool) {
	from := pointer - base // beyond any length if the pointer leads before base
	if from > uint64(len(b)) || n > uint64(len(b))-from {
		return nil, false
	}
	return b[from : from+n : from+n], true
}
