package sysctl

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Kind is how a member of a row is kept.
type Kind uint8

// The kinds.
const (
	Count64   Kind = iota // a number of 64 bits
	Count32               // of 32
	Pages64               // pages, 64 bits
	Pages32               // pages, 32 bits
	Kilobytes             // 1024 bytes, 64 bits
	Segments              // three numbers of pages of 32 bits each: code, data and stack
	Micros                // seconds and microseconds, 32 bits each
	Timeval               // seconds and microseconds, 64 bits each
	PagesPair             // two numbers of pages of 64 bits each: data and stack
)

// Member is one field in a row of the table of processes.
type Member struct {
	Field platform.Field
	At    int
	Kind  Kind
}

// Table says where a row of the table of processes has what. 0 is what a kernel does not
// have: nothing but the start is read there.
type Table struct {
	Name string // KERN_PROC2 is kern.proc2
	MIB  int32  // of the table, below CTL_KERN
	All  int32  // the operation that tells of all processes, the kernel's own among them
	Size int    // bytes of a row that are asked for: the kernel leaves out the rest
	// Whole says that the kernel is not told a size: each row begins with its own, in 32
	// bits, which is at least Size.
	Whole bool
	// Fixed says that the kernel is not told a size either, and that all rows have Size.
	Fixed bool
	// Bare says that nothing stands behind the operation that tells of all processes.
	Bare bool

	PID, Parent, User  int
	Nice, Command, CPU int
	NiceSigned         bool // from -20 to 20; otherwise from 0 to 40
	CPUNarrow          bool // 32 bits; otherwise 64. A CPU at 0 is not told
	Valid              int  // 64 bits that are not 0 while it lives; 0 where there is no such thing
	Stateless          bool // a row does not always tell the state, and a source behind it does
	Start              int  // seconds
	StartWide          bool
	StartMicros        int
	Members            []Member
}

// own reports whether a row is of one of the kernel's own threads, which has no PID.
func (t *Table) own(r Row) bool { return int32(t.pid(r)) < 0 }

// Constants of sys/sysctl.h and sys/proc.h that both have.
const (
	ctlKern       = 1
	commandLength = 24
	niceZero      = 20 // NZERO
	noCPU         = ^uint64(0)
)

// Row is one row of the table.
type Row []byte

// U32 returns 32 bits at an offset.
func (r Row) U32(at int) uint64 { return uint64(layout.U32(r, at)) }

// U64 returns 64 bits at an offset.
func (r Row) U64(at int) uint64 { return layout.U64(r, at) }

// pid is signed in the kernel, and never negative here.
func (t *Table) pid(r Row) uint64 { return r.U32(t.PID) }

// live reports whether the kernel tells more than who it is: neither of a zombie, nor
// on OpenBSD of one that is about to be (fill_kproc, kern_sysctl.c 1.482), whose times
// are 0 already.
func (t *Table) live(r Row) bool { return (t.Valid == 0 || r.U64(t.Valid) != 0) && t.start(r) != 0 }

// nice returns how nice a process is, from -20, the most favoured.
func (t *Table) nice(r Row) int64 {
	if t.NiceSigned {
		return int64(int8(r[t.Nice]))
	}
	return int64(r[t.Nice]) - niceZero
}

// cpu returns the CPU that a process ran on last, if it has run.
func (t *Table) cpu(r Row) (number uint64, ok bool) {
	switch {
	case t.CPU == 0:
		return 0, false
	case t.CPUNarrow:
		number = r.U32(t.CPU)
		return number, int32(number) >= 0
	}
	number = r.U64(t.CPU)
	return number, number != noCPU
}

// each calls each with every row.
func (t *Table) each(b []byte, each func(Row)) (whole bool) {
	if t.Whole {
		return EachSized(b, 4, t.Size, each)
	}
	return Each(b, t.Size, each)
}

// start returns when a process was created, in microseconds since 1970.
func (t *Table) start(r Row) uint64 {
	seconds := r.U32(t.Start)
	if t.StartWide {
		seconds = r.U64(t.Start)
	}
	return seconds*1e6 + r.U32(t.StartMicros)
}

// command returns the short name.
func (t *Table) command(r Row) []byte { return cString(r[t.Command : t.Command+commandLength]) }

// Value returns a member in its field's base unit. page is the size of a page in bytes.
func (m Member) Value(r Row, page uint64) uint64 {
	switch m.Kind {
	case Count32:
		return r.U32(m.At)
	case Pages64:
		return r.U64(m.At) * page
	case Pages32:
		return r.U32(m.At) * page
	case Segments:
		return (r.U32(m.At) + r.U32(m.At+4) + r.U32(m.At+8)) * page
	case Kilobytes:
		return r.U64(m.At) * 1024
	case PagesPair:
		return (r.U64(m.At) + r.U64(m.At+8)) * page
	case Micros:
		return r.micros(m.At) * 1e3
	case Timeval:
		return r.U64(m.At)*1e9 + r.U64(m.At+8)*1e3
	}
	return r.U64(m.At)
}

// micros returns seconds and microseconds of 32 bits each, in microseconds.
func (r Row) micros(at int) uint64 { return r.U32(at)*1e6 + r.U32(at+4) }

// Given declares what a member gives.
func (m Member) Given() platform.Given {
	g := platform.Given{Field: m.Field}
	switch m.Kind {
	case Micros, Timeval:
		g.Step = 1e3
	case Count32:
		g.Bits = 32
	}
	return g
}

// given declares what a row gives.
func (t *Table) given() (gives []platform.Given) {
	gives = append(gives, tableGives...)
	if !t.Stateless {
		gives = append(gives, StateGives...)
	}
	for _, m := range t.Members {
		gives = append(gives, m.Given())
	}
	if t.CPU != 0 {
		gives = append(gives, platform.Given{Field: platform.ProcessCPUNumber})
	}
	return gives
}

// Each calls each with every record of the given size. An answer that breaks off in
// one is not whole.
func Each(b []byte, size int, each func(Row)) (whole bool) {
	for ; len(b) >= size; b = b[size:] {
		each(Row(b[:size:size]))
	}
	return len(b) == 0
}

// EachSized calls each with every record, which begins with its own size in so many bytes,
// 4 or 8. One that is shorter than least, or does not fit, ends it.
func EachSized(b []byte, width, least int, each func(Row)) (whole bool) {
	for len(b) >= width {
		size := layout.Word(b, 0, width)
		if size < uint64(max(least, width)) || size > uint64(len(b)) {
			return false
		}
		each(Row(b[:size:size]))
		b = b[size:]
	}
	return len(b) == 0
}

// cString returns what is before the first NUL.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i:i]
	}
	return b
}

// CString returns the string before the first NUL.
func CString(b []byte) string { return string(cString(b)) }
