package simkernel

import (
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// The compiler lays out structures of Go as the ABI of C does on 64-bit machines: it is
// the second witness.
func TestStruct(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("the compiler lays out for 32 bits here")
	}
	type inner struct {
		A int8
		B int64
	}
	type outer struct {
		A int8
		B uint16
		C int32
		D [3]uint8
		E uintptr
		F [2]inner
		G int16
	}
	in := C("inner", "int8 A\nint64 B\n")
	out := C("outer", `
		int8 A
		uint16 B // a word
		int C
		char D[3]
		pointer E
		inner F[2]
		short G
	`, in)
	want := reflect.TypeFor[outer]()
	if out.Size != int(want.Size()) || in.Size != int(reflect.TypeFor[inner]().Size()) {
		t.Errorf("sizes are %d and %d", out.Size, in.Size)
	}
	for i := range want.NumField() {
		f := want.Field(i)
		if got := out.Offset(f.Name); got != int(f.Offset) {
			t.Errorf("%s is at %d, want %d", f.Name, got, f.Offset)
		}
	}
	b := make([]byte, out.Size)
	out.Put(b, "B", 0x12345)
	out.Put(b, "D[2]", 7)
	out.PutIn(b, "F", in, "B", 1<<40)
	if b[2] != 0x45 || b[3] != 0x23 || b[4] != 0 || b[out.Offset("D")+2] != 7 || b[out.Offset("F")+8+5] != 1 {
		t.Errorf("% x", b)
	}
	out.PutText(b, "D", "long")
	if d := out.Offset("D"); string(b[d:d+2]) != "lo" || b[d+2] != 7 {
		t.Errorf("% x", b[d:])
	}
}

// With pointers of 32 bits what is behind them moves up, and 64 bits keep their alignment.
func TestStructOf32Bits(t *testing.T) {
	s := Word(4).C("narrow", "char A\npointer B\nsize C\nint64 D\nchar E\n")
	for member, want := range map[string]int{"A": 0, "B": 4, "C": 8, "D": 16, "E": 24} {
		if got := s.Offset(member); got != want {
			t.Errorf("%s is at %d, want %d", member, got, want)
		}
	}
	if s.Size != 32 {
		t.Errorf("%d bytes", s.Size)
	}
}

// Fields are written in their order, each as wide as it is.
func TestFields(t *testing.T) {
	s := C("some", "uint16 A\nuint32 B\nuint64 C\n")
	b := make([]byte, s.Size)
	s.Fields("C", "A").Put(b, 7, 0x12345)
	if want := []byte{0x45, 0x23, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}; !slices.Equal(b, want) {
		t.Errorf("% x", b)
	}
	if a, c := s.Get(b, "A"), s.Get(b, "C"); a != 0x2345 || c != 7 {
		t.Errorf("%#x, %d", a, c)
	}
	defer func() {
		if recover() == nil {
			t.Error("two members took one number")
		}
	}()
	s.Fields("A", "B").Put(b, 1)
}
