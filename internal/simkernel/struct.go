package simkernel

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Struct is a C structure as the ABI of 64-bit machines lays it out (System V and AAPCS64
// agree on it): each member at a multiple of its alignment, the whole a multiple of the
// largest.
type Struct struct {
	Name  string
	Size  int
	align int
	at    map[string]Member
}

// Member is where a member lies.
type Member struct {
	Offset, Size int // Size of one element
	Count        int // of an array, else 1
}

// basic are the sizes of C types, which are their alignments too.
var basic = map[string]int{
	"char": 1, "int8": 1, "uint8": 1, "short": 2, "int16": 2, "uint16": 2, "int": 4, "int32": 4, "uint32": 4,
	"long": 8, "int64": 8, "uint64": 8, "pointer": 8, "size": 8,
}

// C parses the members of a structure, one type and its names to a line, as in
// "uint32 flags, mask" and "char name[16]". Other structures are named as types. "pack 4",
// as in #pragma pack(4), is the most that anything behind it is aligned to.
func C(name, members string, others ...*Struct) *Struct {
	s := &Struct{Name: name, align: 1, at: map[string]Member{}}
	pack := 8
	for line := range strings.Lines(members) {
		line, _, _ = strings.Cut(line, "//")
		kind, names, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if kind == "pack" {
			pack, _ = strconv.Atoi(names)
			continue
		}
		size, align := kindOf(kind, others)
		for member := range strings.SplitSeq(names, ",") {
			s.add(strings.TrimSpace(member), size, min(align, pack))
		}
	}
	s.Size = up(s.Size, s.align)
	return s
}

func kindOf(kind string, others []*Struct) (size, align int) {
	for _, o := range others {
		if o.Name == kind {
			return o.Size, o.align
		}
	}
	n, ok := basic[kind]
	if !ok {
		panic("no C type is called " + kind)
	}
	return n, n
}

func (s *Struct) add(member string, size, align int) {
	count := 1
	if name, rest, array := strings.Cut(member, "["); array {
		n, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
		if err != nil {
			panic(member + " has no length")
		}
		member, count = name, n
	}
	if _, twice := s.at[member]; twice {
		panic(member + " is there twice")
	}
	at := up(s.Size, align)
	s.at[member] = Member{at, size, count}
	s.Size, s.align = at+size*count, max(s.align, align)
}

func up(n, align int) int { return (n + align - 1) / align * align }

// At is where a member lies. One that is not there panics: it is a mistake of a test.
func (s *Struct) At(member string) Member {
	m, ok := s.at[member]
	if !ok {
		panic(fmt.Sprintf("%s has no %s", s.Name, member))
	}
	return m
}

// Offset is that of a member.
func (s *Struct) Offset(member string) int { return s.At(member).Offset }

// Put writes a number into a member, or the n-th element of one: "groups[2]".
func (s *Struct) Put(b []byte, member string, v uint64) {
	m, n := s.at[member], 0
	if m.Size == 0 { // an element of an array
		name, rest, _ := strings.Cut(member, "[")
		n, _ = strconv.Atoi(strings.TrimSuffix(rest, "]"))
		m = s.At(name)
	}
	if n >= m.Count {
		panic(fmt.Sprintf("%s.%s has %d elements", s.Name, member, m.Count))
	}
	put(b[m.Offset+n*m.Size:], m.Size, v)
}

// PutIn writes a number into a member of a structure that is a member.
func (s *Struct) PutIn(b []byte, member string, inner *Struct, name string, v uint64) {
	inner.Put(b[s.Offset(member):], name, v)
}

// PutText writes a text that ends in a NUL byte into an array of char, and what of it has
// room.
func (s *Struct) PutText(b []byte, member, text string) {
	m := s.At(member)
	copy(b[m.Offset:m.Offset+m.Count-1], text)
}

// put writes the low bytes of a number: a counter that is narrow wraps.
func put(b []byte, size int, v uint64) {
	switch size {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(b, v)
	default:
		panic(fmt.Sprintf("a number of %d bytes", size))
	}
}
