package darwin

import (
	"encoding/binary"
	"unicode/utf16"
)

// A binary property list (CFBinaryPList.c of CoreFoundation, version bplist00): a head of 8
// bytes, objects, a table of where each is, and a trailer of 32 bytes. Numbers are
// big-endian.
const (
	plistHead    = "bplist00"
	plistTrailer = 32
	plistDepth   = 8       // of what is in what; those of the registry have three
	plistMost    = 1 << 16 // objects
)

// plist is one property list while it is read.
type plist struct {
	b        []byte
	table    []byte
	width    int // bytes of an offset
	refWidth int // bytes of a reference
	left     int // objects that may still be read
}

// decodePlist reads a property list: uint64, string, bool, []byte, []any and map[string]any;
// negative numbers are int64. What else there is, dates and real numbers, is nil.
func decodePlist(b []byte) (value any, ok bool) {
	if len(b) < len(plistHead)+plistTrailer || string(b[:len(plistHead)]) != plistHead {
		return nil, false
	}
	t := b[len(b)-plistTrailer:]
	p := plist{b: b[:len(b)-plistTrailer], width: int(t[6]), refWidth: int(t[7]), left: plistMost}
	objects, top, table := binary.BigEndian.Uint64(t[8:]), binary.BigEndian.Uint64(t[16:]), binary.BigEndian.Uint64(t[24:])
	if p.width < 1 || p.width > 8 || p.refWidth < 1 || p.refWidth > 8 || objects == 0 || objects > plistMost || table > uint64(len(p.b)) {
		return nil, false
	}
	p.table = p.b[table:]
	if uint64(len(p.table)) < objects*uint64(p.width) {
		return nil, false
	}
	p.table = p.table[:objects*uint64(p.width)]
	return p.object(top, plistDepth)
}

// bigEndian reads a number of up to 8 bytes.
func bigEndian(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// at returns what lies at an object's place.
func (p *plist) at(index uint64) []byte {
	if index >= uint64(len(p.table)/p.width) {
		return nil
	}
	at := bigEndian(p.table[int(index)*p.width:][:p.width])
	if at >= uint64(len(p.b)) {
		return nil
	}
	return p.b[at:]
}

// object reads one object. Its first byte is a kind, and a length.
func (p *plist) object(index uint64, depth int) (any, bool) {
	b := p.at(index)
	if p.left--; len(b) == 0 || depth == 0 || p.left < 0 {
		return nil, false
	}
	kind, size := b[0]>>4, int(b[0]&0xf)
	switch kind {
	case 0:
		return simple(b[0]), true
	case 1:
		return integer(b[1:], size)
	case 2, 3, 8:
		return nil, true // a real number, a date, a mark of archives
	}
	b = b[1:]
	if size == 0xf {
		var ok bool
		if size, b, ok = length(b); !ok {
			return nil, false
		}
	}
	switch kind {
	case 4, 5:
		if size > len(b) {
			return nil, false
		}
		if kind == 4 {
			return b[:size:size], true
		}
		return string(b[:size]), true
	case 6:
		return wide(b, size)
	case 0xa:
		return p.array(b, size, depth)
	case 0xd:
		return p.dictionary(b, size, depth)
	}
	return nil, false
}

// simple is null, false or true.
func simple(b byte) any {
	switch b {
	case 8:
		return false
	case 9:
		return true
	}
	return nil
}

// integer reads a number of 2^size bytes. One of 8 has a sign, and one of 16 is a number of
// 64 bits without.
func integer(b []byte, size int) (any, bool) {
	if size > 4 || len(b) < 1<<size {
		return nil, false
	}
	v := bigEndian(b[:1<<size])
	if size == 3 && int64(v) < 0 {
		return int64(v), true
	}
	return v, true
}

// length reads a length that takes a number of its own.
func length(b []byte) (n int, rest []byte, ok bool) {
	if len(b) == 0 || b[0]>>4 != 1 {
		return 0, nil, false
	}
	v, ok := integer(b[1:], int(b[0]&0xf))
	size, small := v.(uint64)
	if !ok || !small || size > plistMost {
		return 0, nil, false
	}
	return int(size), b[1+1<<(b[0]&0xf):], true
}

// wide reads a string of 16-bit units.
func wide(b []byte, size int) (any, bool) {
	if 2*size > len(b) {
		return nil, false
	}
	units := make([]uint16, size)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units)), true
}

// refs reads the n-th of the references of an array or a dictionary.
func (p *plist) ref(b []byte, n int) uint64 { return bigEndian(b[n*p.refWidth:][:p.refWidth]) }

func (p *plist) array(b []byte, size, depth int) (any, bool) {
	if size*p.refWidth > len(b) {
		return nil, false
	}
	list := make([]any, 0, min(size, p.left+1))
	for i := range size {
		v, ok := p.object(p.ref(b, i), depth-1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// dictionary reads the keys, and the values behind all of them.
func (p *plist) dictionary(b []byte, size, depth int) (any, bool) {
	if 2*size*p.refWidth > len(b) {
		return nil, false
	}
	all := map[string]any{}
	for i := range size {
		key, ok := p.object(p.ref(b, i), depth-1)
		name, isName := key.(string)
		if !ok || !isName {
			return nil, false
		}
		if all[name], ok = p.object(p.ref(b, size+i), depth-1); !ok {
			return nil, false
		}
	}
	return all, true
}
