package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeLock reads one line of /proc/locks: the device, as the kernel writes it,
// and which of the fields of [platform.Lock] the lock counts for (man 5
// proc_locks; lock_get_status in fs/locks.c).
//
//	1: POSIX  ADVISORY  READ  5433 08:01:7864448 128 128
//	1: -> POSIX  ADVISORY  WRITE 5434 08:01:7864448 128 128
//	2: LEASE  ACTIVE    WRITE 700 fe:00:12 0 EOF
//
// Who waits, behind an arrow, holds nothing; neither does a lease that is being
// given up (UNLCK), nor an ACCESS check. A lock without an inode has no device.
func decodeLock(line []byte) (device []byte, f platform.Field, ok bool) {
	_, rest := text.Field(line)
	kind, rest := text.Field(rest)
	mode, rest := text.Field(text.Skip(rest, 1))
	inode, _ := text.Field(text.Skip(rest, 1))
	last := bytes.LastIndexByte(inode, ':')
	if last < 0 || !isHexDevice(inode[:last]) {
		return nil, 0, false
	}
	f, ok = lockField(kind, mode)
	return inode[:last], f, ok
}

func isHexDevice(b []byte) bool {
	_, rest, ok := text.Hex(b)
	if !ok || len(rest) == 0 || rest[0] != ':' {
		return false
	}
	_, rest, ok = text.Hex(rest[1:])
	return ok && len(rest) == 0
}

func lockField(kind, mode []byte) (f platform.Field, ok bool) {
	var read, write platform.Field
	switch string(kind) {
	case "POSIX":
		read, write = platform.LockPosixRead, platform.LockPosixWrite
	case "FLOCK":
		read, write = platform.LockFlockRead, platform.LockFlockWrite
	case "OFDLCK":
		read, write = platform.LockOFDRead, platform.LockOFDWrite
	case "LEASE", "DELEG":
		read, write = platform.LockLeaseRead, platform.LockLeaseWrite
	default:
		return 0, false
	}
	switch string(mode) {
	case "READ":
		return read, true
	case "WRITE":
		return write, true
	}
	return 0, false
}
