package simkernel

import (
	"reflect"
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
