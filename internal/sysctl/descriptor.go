package sysctl

import (
	"cmp"
	"math"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Append is O_APPEND of sys/fcntl.h, which all have from 4.4BSD.
const Append = 0x8

// AccessFlags are O_RDONLY, O_WRONLY or O_RDWR of open(2).
func AccessFlags(reads, writes bool) uint32 {
	switch {
	case reads && writes:
		return 2
	case writes:
		return 1
	}
	return 0
}

// Mode is how a file is open, in the words of fopen(3).
func Mode(reads, writes, appends bool) string {
	mode := map[bool]string{true: "a", false: "w"}[appends]
	switch {
	case writes && !reads:
		return mode
	case writes && appends:
		return "a+"
	case writes:
		return "r+"
	case reads:
		return "r"
	}
	return ""
}

// Permissions are those of a mapping, by the bits PROT_READ, PROT_WRITE and PROT_EXEC of
// sys/mman.h.
func Permissions(bits uint64, shared bool) string {
	b := []byte("---p")
	for i, letter := range []byte("rwx") {
		if bits>>i&1 != 0 {
			b[i] = letter
		}
	}
	if shared {
		b[3] = 's'
	}
	return string(b)
}

// SocketType returns the type with a number of sys/socket.h.
func SocketType(number uint64) platform.SocketType {
	switch number {
	case 1:
		return platform.TypeStream
	case 2:
		return platform.TypeDatagram
	case 5:
		return platform.TypeSeqPacket
	}
	return platform.TypeUnknown
}

// LimitName is what a limit is called, and its unit.
type LimitName struct{ Name, Unit string }

// Limit is the limit with its bounds. RLIM_INFINITY is the largest number with a sign.
func (l LimitName) Limit(soft, hard uint64) platform.Limit {
	return platform.Limit{Name: l.Name, Unit: l.Unit, Soft: bound(soft), Hard: bound(hard)}
}

func bound(v uint64) platform.Bound {
	if v >= math.MaxInt64 {
		return platform.Bound{Infinite: true}
	}
	return platform.Bound{Value: v}
}

// SortLimits puts limits in the order of their names.
func SortLimits(all []platform.Limit) {
	slices.SortFunc(all, func(a, b platform.Limit) int { return cmp.Compare(a.Name, b.Name) })
}
