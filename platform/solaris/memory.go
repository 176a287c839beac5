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

// readVector reads a vector into the sample.
func (p *pass) readVector(v *visit, t platform.Text, at, count int) error {
	if p.isSystem() {
		return nil
	}
	lent := &p.arguments
	if t == platform.ProcessEnvironment {
		lent = &p.environment
	}
	var err error
	if *lent, err = p.readTexts(v.key.ID, (*lent)[:0], at, count); err == nil {
		p.sample.SetText(t, *lent)
	}
	return gone(err)
}

// readTexts appends what an array of pointers leads to. Where that is psinfo tells, at an
// offset. Pointers have the width of the program.
func (b *backend) readTexts(pid uint64, all []byte, at, count int) ([]byte, error) {
	width := 8
	if b.info[modelAt] == 1 {
		width = 4
	}
	path := b.path(pid, "as")
	b.vectors.open(b.kernel, path)
	b.strings.open(b.kernel, path)
	return b.vector(all, layout.U64(b.info[:], at), min(count, mostTexts), width)
}

// vector appends the texts that an array of pointers leads to, each with a NUL behind it.
func (b *backend) vector(all []byte, address uint64, count, width int) ([]byte, error) {
	for i := range count {
		word, err := b.vectors.bytes(address+uint64(i*width), width)
		if err != nil {
			return all, err
		}
		pointer := layout.Word(word, 0, width)
		if pointer == 0 {
			break
		}
		if all, err = b.strings.text(all, pointer); err != nil {
			return all, err
		}
	}
	return all, nil
}

// memory is that of a process. What was read last is kept: texts lie side by side.
type memory struct {
	kernel Kernel
	path   string
	at     uint64 // of what is kept
	kept   []byte
	buf    [portion]byte
}

func (m *memory) open(k Kernel, path string) { m.kernel, m.path, m.at, m.kept = k, path, 0, nil }

// bytes returns what lies at an address, lent until the next call.
func (m *memory) bytes(address uint64, n int) ([]byte, error) {
	if b, ok := layout.Within(m.kept, m.at, address, uint64(n)); ok {
		return b, nil
	}
	got, err := m.kernel.Read(m.path, address, m.buf[:])
	if err != nil {
		return nil, err
	}
	m.at, m.kept = address, m.buf[:got]
	if got < n {
		return nil, errContent
	}
	return m.kept[:n], nil
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
