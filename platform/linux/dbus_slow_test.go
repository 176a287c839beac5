package linux

import (
	"encoding/binary"
	"errors"
	"strings"
)

// The plain twin of the reader of messages: it panics where something does not fit, and
// takes types apart before it looks at values.

var errSlowWire = errors.New("does not fit")

// slowly runs f and reports whether everything fit.
func slowly(f func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != errSlowWire {
				panic(r)
			}
			ok = false
		}
	}()
	f()
	return true
}

func fit(ok bool) {
	if !ok {
		panic(errSlowWire)
	}
}

// slowType is a type and what it is made of.
type slowType struct {
	code byte
	of   []slowType
}

func (k slowType) height() (h int) {
	for _, of := range k.of {
		h = max(h, 1+of.height())
	}
	return h
}

func (k slowType) alignment() int {
	switch {
	case strings.IndexByte("xtd({", k.code) >= 0:
		return 8
	case strings.IndexByte("biuhsoa", k.code) >= 0:
		return 4
	case strings.IndexByte("nq", k.code) >= 0:
		return 2
	}
	return 1
}

// slowTypes takes a signature apart, up to one of the ends.
func slowTypes(s string, ends string, inArray bool) (types []slowType, rest string) {
	for s != "" && strings.IndexByte(ends, s[0]) < 0 {
		k := slowType{code: s[0]}
		s = s[1:]
		switch {
		case k.code == 'a':
			k.of, s = slowTypes(s, "", true)
		case k.code == '(' || k.code == '{' && inArray:
			end := map[byte]string{'(': ")", '{': "}"}[k.code]
			k.of, s = slowTypes(s, end, false)
			fit(s != "" && len(k.of) > 0 && (k.code == '(' || len(k.of) == 2))
			s = s[1:]
		default:
			fit(strings.IndexByte("ybnqiuxtdhsogv", k.code) >= 0)
		}
		types = append(types, k)
		if inArray {
			return types, s
		}
	}
	fit(!inArray)
	return types, s
}

type slowWire struct {
	b   string
	at  int
	big bool
}

func (w *slowWire) take(n uint64) string {
	fit(n <= uint64(len(w.b)-w.at))
	w.at += int(n)
	return w.b[w.at-int(n) : w.at]
}

func (w *slowWire) align(to int) {
	for w.at%to != 0 {
		fit(w.take(1) == "\x00")
	}
}

func (w *slowWire) number(size int) (v uint64) {
	w.align(size)
	s := w.take(uint64(size))
	for i := range size {
		if w.big {
			v = v<<8 | uint64(s[i])
		} else {
			v |= uint64(s[i]) << (8 * i)
		}
	}
	return v
}

func (w *slowWire) ended(n uint64) string {
	fit(n < 1<<27)
	s := w.take(n + 1)
	fit(s[n] == 0)
	return s[:n]
}

func (w *slowWire) text() string      { return w.ended(w.number(4)) }
func (w *slowWire) signature() string { return w.ended(w.number(1)) }

// array returns where an array ends.
func (w *slowWire) array(alignment int) int {
	n := w.number(4)
	w.align(alignment)
	fit(n <= 1<<26 && n <= uint64(len(w.b)-w.at))
	return w.at + int(n)
}

// skip passes over a value that has to be of one type.
func (w *slowWire) skip(signature string, depth int) {
	types, rest := slowTypes(signature, ")", false)
	fit(rest == "" && len(types) == 1)
	w.pass(types[0], depth)
}

func (w *slowWire) pass(k slowType, depth int) {
	fit(k.height() < depth)
	switch k.code {
	case 's', 'o':
		w.text()
	case 'g':
		w.signature()
	case 'v':
		w.skip(w.signature(), depth-1)
	case 'a':
		w.at = w.array(k.of[0].alignment())
	case '(':
		w.align(8)
		for _, of := range k.of {
			w.pass(of, depth-1)
		}
	case 'y':
		w.number(1)
	default:
		w.number(k.alignment())
	}
}

// slowMessage is a message in strings.
type slowMessage struct {
	kind                                               byte
	serial, answers                                    uint32
	path, iface, member, failed, from, signature, body string
	big                                                bool
}

func (m *slowMessage) arguments() *slowWire { return &slowWire{b: m.body, big: m.big} }

func slowDBus(s string) (m slowMessage, ok bool) {
	ok = slowly(func() {
		fit(len(s) >= 16 && (s[0] == 'l' || s[0] == 'B') && s[3] == 1 && len(s) <= 1<<27)
		w := &slowWire{b: s, at: 4, big: s[0] == 'B'}
		m.kind, m.big = s[1], w.big
		body := w.number(4)
		m.serial = uint32(w.number(4))
		end := w.array(8)
		fit(m.serial != 0)
		for w.at < end {
			w.align(8)
			m.field(w)
		}
		fit(w.at == end)
		w.align(8)
		m.body = s[w.at:]
		fit(uint64(len(m.body)) == body)
	})
	return m, ok
}

func (m *slowMessage) field(w *slowWire) {
	code, kind := w.number(1), w.signature()
	texts := map[uint64]*string{1: &m.path, 2: &m.iface, 3: &m.member, 4: &m.failed, 7: &m.from}
	to := texts[code]
	switch {
	case code == 5 && kind == "u":
		m.answers = uint32(w.number(4))
	case code == 8 && kind == "g":
		m.signature = w.signature()
	case to != nil && (kind == "s" || kind == "o"):
		*to = w.text()
	default:
		w.skip(kind, 64)
	}
}

// The writer of tests, in either order of bytes.

type (
	objectPath string
	types      string // a signature
	list       struct {
		align    int
		elements []any
	}
	tuple   []any // a struct, or an entry of a dictionary
	variant struct {
		types types
		value any
	}
)

// pack appends a value as it is aligned at the end of b.
func pack(b []byte, order binary.AppendByteOrder, v any) []byte {
	pad := func(to int) {
		for len(b)%to != 0 {
			b = append(b, 0)
		}
	}
	switch v := v.(type) {
	case byte:
		b = append(b, v)
	case uint32:
		pad(4)
		b = order.AppendUint32(b, v)
	case int32:
		pad(4)
		b = order.AppendUint32(b, uint32(v))
	case uint64:
		pad(8)
		b = order.AppendUint64(b, v)
	case string:
		pad(4)
		b = append(append(order.AppendUint32(b, uint32(len(v))), v...), 0)
	case objectPath:
		return pack(b, order, string(v))
	case types:
		b = append(append(append(b, byte(len(v))), v...), 0)
	case variant:
		b = pack(pack(b, order, v.types), order, v.value)
	case tuple:
		pad(8)
		for _, member := range v {
			b = pack(b, order, member)
		}
	case list:
		pad(4)
		size := len(b)
		b = order.AppendUint32(b, 0)
		pad(v.align)
		from := len(b)
		for _, e := range v.elements {
			b = pack(b, order, e)
		}
		copy(b[size:], order.AppendUint32(nil, uint32(len(b)-from)))
	}
	return b
}

// wireMessage writes a message; fields are groups of a code and a variant.
func wireMessage(order binary.AppendByteOrder, kind byte, serial uint32, fields []any, body ...any) []byte {
	letter := byte('l')
	if order == binary.AppendByteOrder(binary.BigEndian) {
		letter = 'B'
	}
	var content []byte
	for _, v := range body {
		content = pack(content, order, v)
	}
	b := []byte{letter, kind, 0, 1}
	b = pack(b, order, uint32(len(content)))
	b = pack(b, order, serial)
	b = pack(b, order, list{8, fields})
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return append(b, content...)
}

func header(code byte, kind types, value any) tuple { return tuple{code, variant{kind, value}} }
