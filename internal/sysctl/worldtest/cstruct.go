// Package worldtest is a hand-made NetBSD or OpenBSD: a [Kernel] that writes the
// structures of its headers by their C declarations and knows no offset, and a [World]
// that changes from step to step as a seed says. For tests only.
package worldtest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Struct is a C structure on a 64-bit little-endian machine.
type Struct struct {
	Size    int
	members map[string]member
}

type member struct{ at, size int }

// sizes are those of the types that the headers use, which are aligned to them.
var sizes = map[string]int{"u8": 1, "char": 1, "u16": 2, "u32": 4, "int": 4, "u64": 8, "long": 8}

// Parse lays a declaration out by the rules of the C ABI: each member is aligned to its
// type, and the whole to its largest one. A declaration is words, a type and the names
// of members of it, up to the next type; a name may have [n] behind it.
func Parse(declaration string) Struct {
	s := Struct{members: map[string]member{}}
	unit, largest := 0, 1
	for word := range strings.FieldsSeq(declaration) {
		if size, ok := sizes[word]; ok {
			unit = size
			largest = max(largest, unit)
			continue
		}
		name, count := word, 1
		if before, after, ok := strings.Cut(word, "["); ok {
			name = before
			var err error
			if count, err = strconv.Atoi(strings.TrimSuffix(after, "]")); err != nil {
				panic(err)
			}
		}
		s.Size = (s.Size + unit - 1) / unit * unit
		s.members[name] = member{s.Size, unit * count}
		s.Size += unit * count
	}
	s.Size = (s.Size + largest - 1) / largest * largest
	return s
}

// At returns the offset of a member.
func (s Struct) At(name string) int {
	m, ok := s.members[name]
	if !ok {
		panic(fmt.Sprintf("no member %s", name))
	}
	return m.at
}

// Put writes a number.
func (s Struct) Put(b []byte, name string, v uint64) {
	m, ok := s.members[name]
	if !ok {
		panic("no member " + name)
	}
	at := m.at
	switch m.size {
	case 1:
		b[at] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b[at:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b[at:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(b[at:], v)
	}
}

// Value is a number for a member.
type Value struct {
	Name string
	V    uint64
}

// PutAll writes numbers by name.
func (s Struct) PutAll(b []byte, values []Value) {
	for _, v := range values {
		s.Put(b, v.Name, v.V)
	}
}

// PutText writes a string, cut to leave room for a NUL.
func (s Struct) PutText(b []byte, name, text string) {
	m := s.members[name]
	copy(b[m.at:m.at+m.size-1], text)
}
