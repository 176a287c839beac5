package linux

import (
	"bytes"
	"encoding/binary"
)

// Offsets in struct linux_dirent64 (man 2 getdents).
const (
	direntLength = 16 // d_reclen, 2 bytes
	direntName   = 19 // d_name, ends in a NUL byte
)

// mostDirents is how many bytes of one directory are read. There are at most 4194304
// PIDs (PID_MAX_LIMIT in include/linux/threads.h), of 32 bytes each.
const mostDirents = 256 << 20

// list appends the numbers that name entries of the open directory fd: PIDs,
// thread IDs, file descriptors. All other names are left out. A directory that grows
// as fast as it is read is an error.
func (b *backend) list(fd int, numbers []uint64) ([]uint64, error) {
	for seen := 0; seen < mostDirents; {
		n, err := b.kernel.ReadDir(fd, b.dirents)
		if err != nil || n == 0 {
			return numbers, err
		}
		numbers = decodeDirents(b.dirents[:n], numbers)
		seen += n
	}
	return nil, errEndless
}

// decodeDirents appends the numeric names of one buffer of directory entries.
func decodeDirents(b []byte, numbers []uint64) []uint64 {
	for len(b) > direntName {
		length := int(binary.NativeEndian.Uint16(b[direntLength:]))
		if length <= direntName || length > len(b) {
			break
		}
		if v, ok := decodeName(b[direntName:length]); ok {
			numbers = append(numbers, v)
		}
		b = b[length:]
	}
	return numbers
}

// decodeName reads a name that is a number and nothing else, up to its NUL byte.
func decodeName(b []byte) (v uint64, ok bool) {
	const most = 1 << 32 // PIDs and descriptors are ints
	for i, c := range b {
		switch {
		case c == 0:
			return v, i > 0
		case c < '0' || c > '9' || v >= most:
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return 0, false
}

// decodeEntries yields the names in one buffer of directory entries, but for the
// folder itself and the one above it.
func decodeEntries(b []byte, yield func(name []byte)) {
	for len(b) > direntName {
		length := int(binary.NativeEndian.Uint16(b[direntLength:]))
		if length <= direntName || length > len(b) {
			break
		}
		name, _, _ := bytes.Cut(b[direntName:length], []byte{0})
		b = b[length:]
		if len(name) > 0 && string(name) != "." && string(name) != ".." {
			yield(name)
		}
	}
}
