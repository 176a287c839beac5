package solaris

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Bounds of a vector of texts in the memory of a process, which may have put anything there.
const (
	mostTexts = 4096
	mostBytes = 1 << 20
	portion   = 4096
)

// readArguments reads the argument vector out of the memory of the process.
func (p *pass) readArguments(v *visit) error {
	return p.readVector(v, platform.ProcessArguments, argvAt, int(layout.U32(p.info[:], argcAt)))
}

// readEnvironment reads the environment as the program was started with, up to the
// pointer that ends it.
func (p *pass) readEnvironment(v *visit) error {
	return p.readVector(v, platform.ProcessEnvironment, envpAt, mostTexts)
}

// readVector reads an array of pointers, and the texts that they lead to. Pointers have
// the width of the program.
func (p *pass) readVector(v *visit, t platform.Text, at, count int) error {
	if p.isSystem() {
		return nil
	}
	m := memory{backend: p.backend, path: p.path(v.key.ID, "as"), width: 8}
	if p.info[modelAt] == 1 {
		m.width = 4
	}
	all, err := m.vector(layout.U64(p.info[:], at), min(count, mostTexts))
	if err == nil {
		p.sample.SetText(t, all)
	}
	return gone(err)
}

// memory is that of a process. What was read last is kept: texts lie side by side.
type memory struct {
	*backend
	path  string
	width int
	at    uint64 // of what is kept
	kept  []byte
}

// bytes returns what lies at an address, as far as it is known in one portion.
func (m *memory) bytes(address uint64, least int) ([]byte, error) {
	if b, ok := layout.Within(m.kept, m.at, address, uint64(least)); ok {
		return b[:len(b):len(b)], nil
	}
	buf := make([]byte, portion)
	n, err := m.kernel.Read(m.path, address, buf)
	if err != nil {
		return nil, err
	}
	m.at, m.kept = address, buf[:n]
	if n < least {
		return nil, errContent
	}
	return m.kept[:least:least], nil
}

// vector returns the texts that an array of pointers leads to, each with a NUL behind it.
func (m *memory) vector(address uint64, count int) (all []byte, err error) {
	var pointers []uint64
	array := memory{backend: m.backend, path: m.path}
	for i := range count {
		b, err := array.bytes(address+uint64(i*m.width), m.width)
		if err != nil {
			return nil, err
		}
		pointer := layout.Word(b, 0, m.width)
		if pointer == 0 {
			break
		}
		pointers = append(pointers, pointer)
	}
	for _, pointer := range pointers {
		if all, err = m.text(all, pointer); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// text appends the text at an address, portion by portion.
func (m *memory) text(all []byte, address uint64) ([]byte, error) {
	for len(all) < mostBytes {
		if _, err := m.bytes(address, 1); err != nil {
			return nil, err
		}
		rest := m.kept[address-m.at:]
		if end := bytes.IndexByte(rest, 0); end >= 0 {
			return append(all, rest[:end+1]...), nil
		}
		all = append(all, rest...)
		address += uint64(len(rest))
	}
	return nil, errContent
}
