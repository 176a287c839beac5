package openbsd

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func FuzzCPU(f *testing.F) {
	f.Add(make([]byte, 56))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, online := decodeCPU(b)
		if len(b) < 56 {
			if online {
				t.Error("short, and taken")
			}
			return
		}
		var v [7]uint64
		for i := range v {
			v[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		if online != (v[6]%2 == 1) || got.User != v[0] || got.Nice != v[1] || got.System != v[2]+v[3] || got.Interrupt != v[4] || got.Idle != v[5] {
			t.Errorf("%+v %v of %v", got, online, v)
		}
	})
}

func FuzzDevice(f *testing.F) {
	f.Add(make([]byte, 120))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := decodeDevice(b)
		if ok != (len(b) >= 80) {
			t.Fatalf("%d bytes are %v", len(b), ok)
		}
		if !ok {
			return
		}
		name, _, _ := bytes.Cut(b[4:20], []byte{0})
		if d.name != string(name) {
			t.Errorf("%q, want %q", d.name, name)
		}
		for i, n := range d.counts {
			if want := int32(binary.LittleEndian.Uint32(b[20+4*i:])); n != want && !(want > mostSensors && n == mostSensors) {
				t.Errorf("%d of type %d, want %d", n, i, want)
			}
		}
	})
}

// vector is what the kernel writes for a list of strings, with room for some more
// pointers than there are.
func vector(list [][]byte, gap int) (b []byte) {
	at := 0x7f0000001000 + 8*uint64(len(list)+1+gap)
	var text []byte
	for _, s := range list {
		b = binary.LittleEndian.AppendUint64(b, at+uint64(len(text)))
		text = append(append(text, s...), 0)
	}
	b = append(b, make([]byte, 8*(1+gap))...)
	return append(b, text...)
}

// What was written is read, whatever it holds; what nobody wrote is refused or lies
// within the answer.
func FuzzVector(f *testing.F) {
	f.Add([]byte("sh\x00-c\x00\x00x"), uint8(0))
	f.Add([]byte(""), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, gap uint8) {
		if strings, ok := decodeVector(b); ok && (len(strings) > len(b) || len(strings) > 0 && strings[len(strings)-1] != 0) {
			t.Errorf("%q of %q", strings, b)
		}
		list := bytes.Split(b, []byte{0})
		want := append(bytes.Join(list, []byte{0}), 0)
		got, ok := decodeVector(vector(list, int(gap%4)))
		if !ok || !bytes.Equal(got, want) {
			t.Errorf("%q %v, want %q", got, ok, want)
		}
	})
}
