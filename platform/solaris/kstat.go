package solaris

import (
	"bytes"
	"fmt"

	"github.com/pidometer/pidometer/internal/layout"
)

// Commands of sys/kstat.h, and offsets in struct kstat of 64-bit programs. Only the number
// has to be there for one to be read.
const (
	commandChain = 'K'<<8 | 1 // KSTAT_IOC_CHAIN_ID
	commandRead  = 'K'<<8 | 2 // KSTAT_IOC_READ
	headSize     = 184
	kidAt        = 16
	moduleAt     = 20
	instanceAt   = 52
	labelAt      = 56
	typeAt       = 87
	kindAt       = 88 // ks_class
	textSize     = 31 // KSTAT_STRLEN
	dataAt       = 120
	dataSizeAt   = 136
	takenAt      = 144 // ks_snaptime
)

// Types of statistics, and of the values of those that have names.
const (
	typeNamed = 1
	typeIO    = 3

	namedSize = 48 // struct kstat_named: a name, a type and 16 bytes
	valueType = 31
	valueAt   = 32

	valueInt32  = 1
	valueUint32 = 2
	valueInt64  = 3
	valueUint64 = 4
)

// statistic is one of the chain.
type statistic struct {
	kid      uint32
	module   string
	instance uint64
	name     string
	class    string
	kind     byte
	size     int // of its data when the chain was read
}

// chain is all statistics, as they were when it had its number.
type chain struct {
	asked  bool // in this pass
	err    error
	number uint64
	known  bool
	all    []statistic
	head   [headSize]byte
}

// headers is the statistic that lists all others: the first of the chain, with number 0.
var headers = statistic{size: 64 << 10}

// follow brings the chain up to date: once in a pass its number is asked for, and the
// chain is read where that has changed.
func (b *backend) follow() error {
	c := &b.chain
	if c.asked {
		return c.err
	}
	c.asked = true
	var number uint64
	if number, c.err = b.kernel.Chain(); c.err != nil || c.known && number == c.number {
		return c.err
	}
	c.known = false
	data, err := b.statistic(&headers)
	if err == nil {
		c.all, err = decodeChain(c.all[:0], data)
	}
	c.number, c.known, c.err = number, err == nil, err
	return c.err
}

// decodeChain reads the heads of all statistics.
func decodeChain(all []statistic, b []byte) ([]statistic, error) {
	if len(b) == 0 || len(b)%headSize != 0 {
		return nil, fmt.Errorf("a chain of %d bytes: %w", len(b), errContent)
	}
	for ; len(b) > 0; b = b[headSize:] {
		all = append(all, decodeHead(b))
	}
	return all, nil
}

func decodeHead(b []byte) statistic {
	text := func(at int) string { return string(cString(b[at : at+textSize])) }
	return statistic{kid: layout.U32(b, kidAt), module: text(moduleAt), instance: uint64(layout.U32(b, instanceAt)), name: text(labelAt),
		class: text(kindAt), kind: b[typeAt], size: int(min(layout.U64(b, dataSizeAt), 1<<20))}
}

// statistic reads one. What it tells is lent until the next one is read.
func (b *backend) statistic(s *statistic) ([]byte, error) {
	if len(b.data) < s.size {
		b.data = make([]byte, s.size)
	}
	answer, data, err := layout.Grow(b.data, func(data []byte) (int, error) {
		clear(b.chain.head[:])
		layout.PutWord(b.chain.head[:], kidAt, 4, uint64(s.kid))
		return b.kernel.Statistic(b.chain.head[:], data)
	})
	b.data = data
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// taken returns when the statistic that was read last was taken, in nanoseconds since the
// start.
func (b *backend) taken() uint64 { return layout.U64(b.chain.head[:], takenAt) }

// find returns a statistic by its name, nil if there is none.
func (b *backend) find(module string, instance uint64, name string) *statistic {
	for i := range b.chain.all {
		if s := &b.chain.all[i]; s.name == name && s.module == module && s.instance == instance {
			return s
		}
	}
	return nil
}

// named are the values of a statistic of type KSTAT_TYPE_NAMED, in its bytes.
type named []byte

// namedStatistic reads one that has named values.
func (b *backend) namedStatistic(s *statistic) (named, error) {
	if s.kind != typeNamed {
		return nil, errContent
	}
	data, err := b.statistic(s)
	return named(data), err
}

// get returns a value that is a number. Texts lie behind the values, so that what is no
// whole value at the end is none.
func (n named) get(name string) (v uint64, ok bool) {
	for b := n; len(b) >= namedSize; b = b[namedSize:] {
		if len(name) < textSize && b[len(name)] == 0 && bytes.HasPrefix(b, []byte(name)) {
			return b.value()
		}
	}
	return 0, false
}

// value returns the first value.
func (n named) value() (v uint64, ok bool) {
	switch n[valueType] {
	case valueInt32:
		return uint64(int64(int32(layout.U32(n, valueAt)))), true
	case valueUint32:
		return uint64(layout.U32(n, valueAt)), true
	case valueInt64, valueUint64:
		return layout.U64(n, valueAt), true
	}
	return 0, false
}

// Offsets in struct kstat_io: bytes, requests of 32 bits, and times in nanoseconds.
const (
	ioSize      = 80
	ioReadBytes = 0
	ioWritten   = 8
	ioReads     = 16
	ioWrites    = 20
	ioQueued    = 32 // wlentime: each moment as often as requests wait
	ioBusy      = 48 // rtime: with a request at the device
	ioServed    = 56 // rlentime: each moment as often as requests are at the device
	ioWaiting   = 72
	ioRunning   = 76
)
