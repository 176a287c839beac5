package windows

import (
	"errors"
	"io"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// regionOffsets is the layout of MEMORY_BASIC_INFORMATION (winnt.h).
type regionOffsets struct {
	base, allocation, length int
	state, protection, kind  int
	size                     int
}

var regionLayouts = map[int]*regionOffsets{
	8: {base: 0, allocation: 8, length: 24, state: 32, protection: 36, kind: 40, size: 48},
	4: {base: 0, allocation: 4, length: 12, state: 16, protection: 20, kind: 24, size: 28},
}

// What pages are, and what may be done with them (winnt.h).
const (
	memoryCommitted = 0x1000
	memoryMapped    = 0x40000   // of a file, or of memory that is shared like one
	memoryImage     = 0x1000000 // of a program or library

	pageReadOnly         = 0x02
	pageReadWrite        = 0x04
	pageWriteCopy        = 0x08
	pageExecute          = 0x10
	pageExecuteRead      = 0x20
	pageExecuteReadWrite = 0x40
	pageExecuteWriteCopy = 0x80
	pageAnyCopy          = pageWriteCopy | pageExecuteWriteCopy
	pageAnyWrite         = pageReadWrite | pageExecuteReadWrite | pageAnyCopy
	pageAnyExecute       = pageExecute | pageExecuteRead | pageExecuteReadWrite | pageExecuteWriteCopy
	pageAnyRead          = pageReadOnly | pageExecuteRead | pageAnyWrite
)

// region is a stretch of pages that are all alike.
type region struct {
	base, end               uint64
	allocation              uint64 // where what it is a part of begins
	state, protection, kind uint32
}

// decodeRegion reads MEMORY_BASIC_INFORMATION. One without pages, or that ends behind
// the last address, is refused.
func decodeRegion(b []byte, word int) (x region, ok bool) {
	l := regionLayouts[word]
	if len(b) < l.size {
		return region{}, false
	}
	x = region{
		base: layout.Word(b, l.base, word), allocation: layout.Word(b, l.allocation, word),
		state: layout.U32(b, l.state), protection: layout.U32(b, l.protection), kind: layout.U32(b, l.kind),
	}
	x.end = x.base + layout.Word(b, l.length, word)
	return x, x.end > x.base
}

// permissions are those of the pages in the words of Linux. What was copied on
// writing is private.
func (x *region) permissions() string {
	p := []byte("---p")
	for i, any := range [...]uint32{pageAnyRead, pageAnyWrite, pageAnyExecute} {
		if x.protection&any != 0 {
			p[i] = "rwx"[i]
		}
	}
	if x.kind == memoryMapped && x.protection&pageAnyCopy == 0 {
		p[3] = 's'
	}
	return string(p)
}

// named reports whether there may be a file behind the pages.
func (x *region) named() bool { return x.kind == memoryMapped || x.kind == memoryImage }

// regions calls each with every region that has memory behind it, by address. What is
// only reserved has none.
func (r *reader) regions(h Handle, each func(*region) error) error {
	for at := uint64(0); ; {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		answer, grown, err := layout.Grow(r.buf, func(buf []byte) (int, error) { return r.kernel.Region(h, at, buf) })
		r.buf = grown
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		x, ok := decodeRegion(answer, r.word)
		if !ok || x.end <= at {
			return errContent
		}
		at = x.end
		if x.state != memoryCommitted {
			continue
		}
		if err := each(&x); err != nil {
			return err
		}
	}
}

// PSAPI_WORKING_SET_EX_INFORMATION is an address and a word of bits (psapi.h). The
// rest of the bits tell of a page that is in the working set.
const (
	pageValid      = 1 << 0 // it is in the working set
	pageShareShift = 1      // how many processes share it, 7 for more
	pageShareMask  = 7
	pageShareable  = 1 << 15
)

// pagesAtOnce is how many pages are asked for in one call.
const pagesAtOnce = 4 << 10

// pages counts pages in memory.
type pages struct{ resident, unique uint64 }

// decodePages counts what the answer of QueryWorkingSetEx tells. A page that others
// could share and do not is unique, as psutil counts it, and Linux.
func decodePages(b []byte, word int) (p pages) {
	for ; len(b) >= 2*word; b = b[2*word:] {
		bits := layout.Word(b, word, word)
		if bits&pageValid == 0 {
			continue
		}
		p.resident++
		if bits&pageShareable == 0 || bits>>pageShareShift&pageShareMask <= 1 {
			p.unique++
		}
	}
	return p
}

// pagesOf counts the pages of a region that are in memory. enough is asked before each
// call.
func (r *reader) pagesOf(h Handle, x *region, enough func() error) (sum pages, err error) {
	size := 2 * r.word
	if len(r.pages) == 0 {
		r.pages = make([]byte, pagesAtOnce*size)
	}
	for at := x.base; at < x.end; {
		if err := enough(); err != nil {
			return pages{}, err
		}
		asked := r.pages[:0]
		for ; at < x.end && len(asked) < pagesAtOnce*size; at += pageSize {
			asked = r.pages[:len(asked)+size]
			layout.PutWord(asked, len(asked)-size, r.word, at)
			layout.PutWord(asked, len(asked)-size+r.word, r.word, 0)
		}
		if err := r.kernel.WorkingSet(h, asked); err != nil {
			return pages{}, err
		}
		some := decodePages(asked, r.word)
		sum.resident += some.resident
		sum.unique += some.unique
	}
	return sum, nil
}

// memoryUse is what pages take. Windows tells no more of them.
func (p pages) memoryUse() *platform.MemoryUse {
	return &platform.MemoryUse{Coarse: true, RSS: p.resident * pageSize, PrivateDirty: p.unique * pageSize,
		SharedDirty: (p.resident - p.unique) * pageSize}
}
