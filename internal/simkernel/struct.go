package simkernel

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Word is how many bytes a pointer has: 8 or 4.
type Word int

// Struct is a C structure as the ABI of 64-bit machines lays it out (System V, AAPCS64 and
// Windows agree on it, but for what a long is): each member at a multiple of its alignment,
// the whole a multiple of the largest. That of 32-bit Windows and ARM is the same with
// narrower pointers. System V for i386, which has 64 bits at multiples of 4 bytes, is not here.
type Struct struct {
	Name  string
	Size  int
	align int
	at    map[string]Member

	// Leaves are the members that are no structures, in order, those of inner structures by
	// their own names.
	Leaves []Leaf
}

// Leaf is a member by its name.
type Leaf struct {
	Name string
	Member
	Text bool // an array of char
}

// Member is where a member lies.
type Member struct {
	Offset, Size int // Size of one element
	Count        int // of an array, else 1
}

// basic are the sizes of C types, which are their alignments too; 0 is that of a pointer.
var basic = map[string]int{
	"char": 1, "int8": 1, "uint8": 1, "short": 2, "int16": 2, "uint16": 2, "int": 4, "int32": 4, "uint32": 4,
	"int64": 8, "uint64": 8, "long": 0, "pointer": 0, "size": 0,
}

// C parses the members of a structure, one type and its names to a line, as in
// "uint32 flags, mask" and "char name[16]". Other structures are named as types. "pack 4",
// as in #pragma pack(4), is the most that anything behind it is aligned to.
func C(name, members string, others ...*Struct) *Struct { return Word(8).C(name, members, others...) }

// C does so for pointers of another size.
func (w Word) C(name, members string, others ...*Struct) *Struct {
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
		size, align, inner := w.kindOf(kind, others)
		for member := range strings.SplitSeq(names, ",") {
			s.add(strings.TrimSpace(member), size, min(align, pack), kind == "char", inner)
		}
	}
	s.Size = up(s.Size, s.align)
	return s
}

func (w Word) kindOf(kind string, others []*Struct) (size, align int, inner *Struct) {
	for _, o := range others {
		if o.Name == kind {
			return o.Size, o.align, o
		}
	}
	n, ok := basic[kind]
	if !ok {
		panic("no C type is called " + kind)
	}
	n = cmp.Or(n, int(w))
	return n, n, nil
}

func (s *Struct) add(member string, size, align int, char bool, inner *Struct) {
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
	m := Member{at, size, count}
	s.at[member] = m
	s.Size, s.align = at+size*count, max(s.align, align)
	s.addLeaves(Leaf{member, m, char && count > 1}, inner)
}

func (s *Struct) addLeaves(l Leaf, inner *Struct) {
	if inner == nil {
		s.Leaves = append(s.Leaves, l)
		return
	}
	for n := range l.Count {
		for _, i := range inner.Leaves {
			i.Offset += l.Offset + n*l.Size
			s.Leaves = append(s.Leaves, i)
		}
	}
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

// Leaf is a member by its own name, of an inner structure too. One that is not there panics.
func (s *Struct) Leaf(name string) Leaf {
	for _, l := range s.Leaves {
		if l.Name == name {
			return l
		}
	}
	panic(fmt.Sprintf("%s has no %s", s.Name, name))
}

// Offset is that of a member.
func (s *Struct) Offset(member string) int { return s.At(member).Offset }

// Members are the names of all.
func (s *Struct) Members() []string { return slices.Sorted(maps.Keys(s.at)) }

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

// Get reads a number out of a member.
func (s *Struct) Get(b []byte, member string) uint64 {
	m := s.At(member)
	var wide [8]byte
	copy(wide[:m.Size], b[m.Offset:])
	return binary.LittleEndian.Uint64(wide[:])
}

// PutIn writes a number into a member of a structure that is a member.
func (s *Struct) PutIn(b []byte, member string, inner *Struct, name string, v uint64) {
	inner.Put(b[s.Offset(member):], name, v)
}

// Fields are some members of a structure, which are written together.
type Fields []Member

// Fields finds members once, for structures that are written often.
func (s *Struct) Fields(names ...string) (f Fields) {
	for _, name := range names {
		f = append(f, s.At(name))
	}
	return f
}

// Put writes a number into each.
func (f Fields) Put(b []byte, numbers ...uint64) {
	if len(numbers) != len(f) {
		panic(fmt.Sprintf("%d numbers for %d members", len(numbers), len(f)))
	}
	for i, m := range f {
		put(b[m.Offset:], m.Size, numbers[i])
	}
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
