package windows

import (
	"bytes"
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
)

// parametersOffsets is where a process keeps what it was started with: the offset of
// the pointer to RTL_USER_PROCESS_PARAMETERS in the process environment block (PEB),
// and the offsets in that structure (winternl.h for the first, command line and
// program; ntpebteb.h and ntrtl.h of the System Informer project for the rest).
type parametersOffsets struct {
	word        int // bytes of a pointer in that process
	parameters  int
	directory   int // UNICODE_STRING
	commandLine int // UNICODE_STRING
	environment int // pointer
	size        int // of what is read of the structure
}

var parametersLayouts = map[int]*parametersOffsets{
	8: {word: 8, parameters: 0x20, directory: 0x38, commandLine: 0x70, environment: 0x80, size: 0x88},
	4: {word: 4, parameters: 0x10, directory: 0x24, commandLine: 0x40, environment: 0x48, size: 0x4c},
}

// mostEnvironment is how much of an environment is read.
const mostEnvironment = 1 << 20

// pageSize is the least that memory is mapped in.
const pageSize = 4 << 10

// peekTries is how often memory that changes while it is read is read again
// (ERROR_PARTIAL_COPY; psutil issue 875).
const peekTries = 4

// parameters reads RTL_USER_PROCESS_PARAMETERS of one process.
type parameters struct {
	kernel Kernel
	handle Handle
	layout *parametersOffsets
	bytes  []byte // the structure
}

// peek lets look at the parameters of the process that is visited, again if its
// memory changed meanwhile.
func (r *reader) peek(v *visit, look func(*parameters) error) (err error) {
	h, err := r.openFor(v, processQuery|processVMRead)
	if err != nil {
		return err
	}
	for range peekTries {
		var p *parameters
		if p, err = r.parameters(v, h); err == nil {
			err = look(p)
		}
		if !errors.Is(err, ErrPartial) {
			return err
		}
	}
	return err
}

// peekString reads a UNICODE_STRING of the parameters.
func (r *reader) peekString(v *visit, at func(*parametersOffsets) int) (wide []byte, err error) {
	err = r.peek(v, func(p *parameters) (err error) {
		wide, err = p.text(at(p.layout))
		return err
	})
	return wide, err
}

// parameters finds them. A 32-bit process on a 64-bit Windows has two PEBs, and uses
// the 32-bit one.
func (r *reader) parameters(v *visit, h Handle) (*parameters, error) {
	p := &parameters{kernel: r.kernel, handle: h, layout: parametersLayouts[r.word]}
	peb, err := r.pebOf(v, h, p)
	if err != nil {
		return nil, err
	}
	if peb == 0 {
		return nil, errors.ErrUnsupported // a process without a user mode
	}
	pointer := make([]byte, p.layout.word)
	if err := r.kernel.Memory(h, peb+uint64(p.layout.parameters), pointer); err != nil {
		return nil, err
	}
	p.bytes = make([]byte, p.layout.size)
	return p, r.kernel.Memory(h, layout.Word(pointer, 0, p.layout.word), p.bytes)
}

// pebOf returns the address of the PEB, and chooses the layout.
func (r *reader) pebOf(v *visit, h Handle, p *parameters) (uint64, error) {
	if r.word == 8 {
		answer, err := r.ask(h, classWow64)
		if peb, ok := decodeWow64(answer); err == nil && ok && peb != 0 {
			p.layout = parametersLayouts[4]
			return peb, nil
		}
	}
	b, err := r.basic(v)
	return b.peb, err
}

// decodeWow64 reads the address of the 32-bit PEB, 0 for a process that has none.
func decodeWow64(b []byte) (peb uint64, ok bool) {
	if len(b) < 8 {
		return 0, false
	}
	return layout.U64(b, 0), true
}

// text reads a UNICODE_STRING at an offset of the structure.
func (p *parameters) text(at int) ([]byte, error) {
	length, pointer := decodeStringHeader(p.bytes[at:], p.layout.word)
	wide := make([]byte, length)
	if length == 0 {
		return wide, nil
	}
	return wide, p.kernel.Memory(p.handle, pointer, wide)
}

// decodeStringHeader reads a UNICODE_STRING, whose characters are elsewhere.
func decodeStringHeader(b []byte, word int) (length int, pointer uint64) {
	return int(layout.U16(b, 0)) &^ 1, layout.Word(b, word, word)
}

// environment reads the block of strings, without the empty one that ends it. Its
// size is told nowhere that all versions agree on, so it is read page by page.
func (p *parameters) environment() ([]byte, error) {
	at := layout.Word(p.bytes, p.layout.environment, p.layout.word)
	if at == 0 {
		return []byte{}, nil
	}
	var block []byte
	for len(block) < mostEnvironment {
		from := len(block)
		block = append(block, make([]byte, pageSize-int(at%pageSize))...)
		if err := p.kernel.Memory(p.handle, at, block[from:]); err != nil {
			return nil, err
		}
		at += uint64(len(block) - from)
		if end, ok := decodeEnvironment(block); ok {
			return block[:end], nil
		}
	}
	return nil, errContent
}

// decodeEnvironment returns where a block of strings in UTF-16, each followed by a
// NUL, ends with an empty one.
func decodeEnvironment(block []byte) (end int, ok bool) {
	for at := 0; at+4 <= len(block); at += 2 {
		i := bytes.Index(block[at:], []byte{0, 0, 0, 0})
		if i < 0 {
			return 0, false
		}
		if at += i; at%2 == 1 {
			at-- // a character whose high byte is 0, before a NUL
			continue
		}
		if at == 0 {
			return 0, true
		}
		return at + 2, true
	}
	return 0, false
}
