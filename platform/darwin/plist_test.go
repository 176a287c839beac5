package darwin

import (
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"testing"

	sim "github.com/pidometer/pidometer/internal/simkernel/darwin"
)

// python is what plistlib of Python 3.11 writes of the same, with offsets and references of
// one byte.
const python = "62706c6973743030d50102030405060f1314155a53746174697374696373546c697374546c6f6e67546e616d6553756e69d40708090a0b0c0d0e5c4279746573202852656164295f10114f7065726174696f6e732028526561642953626967536e65671300000100000000001005140000000000000000ffffffffffffffff13fffffffffffffffda310111209084378797a5f1014303132333435363738396162636465666768696a556469736b306200e400f608131e23282d313a475b5f636c6e7f888c8d8e92a9af00000000000001010000000000000016000000000000000000000000000000b4"

var inPython = map[string]any{
	"Statistics": map[string]any{"Operations (Read)": uint64(5), "Bytes (Read)": uint64(1 << 40), "big": uint64(1<<64 - 1), "neg": int64(-3)},
	"name":       "disk0", "uni": "äö", "list": []any{true, false, []byte("xyz")}, "long": "0123456789abcdefghij",
}

func TestDecodePlist(t *testing.T) {
	b, err := hex.DecodeString(python)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{b, sim.Plist(inPython)} {
		if got, ok := decodePlist(b); !ok || !reflect.DeepEqual(got, any(inPython)) {
			t.Errorf("%v, %v", got, ok)
		}
		for n := range b {
			decodePlist(b[:n]) // must not panic
		}
	}
	if v, ok := decodePlist(sim.Plist(nil)); !ok || v != nil {
		t.Errorf("%v, %v", v, ok)
	}
}

// A list with any byte changed is read as the slow way reads it.
func TestChangedPlists(t *testing.T) {
	b, _ := hex.DecodeString(python)
	for i := range b {
		for _, v := range []byte{0, 0x0f, 0x14, 0x1f, 0x5f, 0x6f, 0xa5, 0xdf, 0xff} {
			was := b[i]
			b[i] = v
			got, ok := decodePlist(b)
			if want, good := slowly(b); ok != good || ok && !reflect.DeepEqual(got, want) {
				t.Errorf("byte %d is %#x: %v, %v, want %v, %v", i, v, got, ok, want, good)
			}
			b[i] = was
		}
	}
}

// A list that contains itself, or that multiplies, ends.
func TestPlistBombs(t *testing.T) {
	list := func(objects ...[]byte) []byte {
		b := []byte("bplist00")
		var table []byte
		for _, o := range objects {
			table = append(table, byte(len(b)))
			b = append(b, o...)
		}
		at := len(b)
		b = append(append(b, table...), 0, 0, 0, 0, 0, 0, 1, 1)
		b = binary.BigEndian.AppendUint64(b, uint64(len(objects)))
		b = binary.BigEndian.AppendUint64(b, 0)
		return binary.BigEndian.AppendUint64(b, uint64(at))
	}
	var bomb [][]byte
	for i := range 7 {
		o := []byte{0xae}
		for range 14 {
			o = append(o, byte(i+1))
		}
		bomb = append(bomb, o)
	}
	for name, b := range map[string][]byte{"itself": list([]byte{0xa1, 0}), "many": list(append(bomb, []byte{9})...)} {
		if v, ok := decodePlist(b); ok {
			t.Errorf("%s: %v", name, v)
		}
	}
	if _, ok := decodePlist(list([]byte{0x23, 0, 0, 0, 0, 0, 0, 0, 0})); !ok {
		t.Error("a real number is nothing that is read, and no fault")
	}
}

// slow reads a property list object by object, from a table that it makes first.
type slow struct {
	body    []byte
	objects []uint64
	refs    int
	read    int
}

func slowly(b []byte) (any, bool) {
	if len(b) < 40 || string(b[:8]) != "bplist00" {
		return nil, false
	}
	t := b[len(b)-32:]
	s := slow{body: b[:len(b)-32], refs: int(t[7])}
	width, count, at := uint64(t[6]), sum(t[8:16]), sum(t[24:32])
	size := uint64(len(s.body))
	if width == 0 || width > 8 || s.refs == 0 || s.refs > 8 || count == 0 || count > 1<<16 || at > size || at+count*width > size {
		return nil, false
	}
	for i := range count {
		s.objects = append(s.objects, sum(s.body[at+i*width:][:width]))
	}
	return s.object(sum(t[16:24]), plistDepth)
}

// sum is a big-endian number.
func sum(b []byte) (v uint64) {
	for i := range b {
		v += uint64(b[i]) << (8 * (len(b) - 1 - i))
	}
	return v
}

func (s *slow) object(i uint64, depth int) (any, bool) {
	s.read++
	if i >= uint64(len(s.objects)) || s.objects[i] >= uint64(len(s.body)) || depth == 0 || s.read > 1<<16 {
		return nil, false
	}
	b := s.body[s.objects[i]:]
	kind, n := b[0]>>4, int(b[0]&15)
	b = b[1:]
	switch kind {
	case 0:
		return map[int]any{8: false, 9: true}[n], true
	case 1:
		return slowNumber(b, n)
	case 2, 3, 8:
		return nil, true
	}
	if n == 15 {
		if len(b) == 0 || b[0]>>4 != 1 {
			return nil, false
		}
		size := int(b[0] & 15)
		b = b[1:]
		v, ok := slowNumber(b, size)
		u, unsigned := v.(uint64)
		if !ok || !unsigned || u > 1<<16 {
			return nil, false
		}
		n, b = int(u), b[1<<size:]
	}
	return s.many(kind, n, b, depth)
}

func slowNumber(b []byte, n int) (any, bool) {
	if n > 4 || len(b) < 1<<n {
		return nil, false
	}
	v := sum(b[max(0, 1<<n-8) : 1<<n])
	if n == 3 && v>>63 != 0 {
		return int64(v), true
	}
	return v, true
}

// many reads what has a length.
func (s *slow) many(kind byte, n int, b []byte, depth int) (any, bool) {
	unit := map[byte]int{4: 1, 5: 1, 6: 2, 0xa: s.refs, 0xd: 2 * s.refs}[kind]
	if unit == 0 || n*unit > len(b) {
		return nil, false
	}
	switch kind {
	case 4:
		return append([]byte{}, b[:n]...), true
	case 5:
		return string(b[:n]), true
	case 6:
		return wide(b, n)
	}
	ref := func(i int) (any, bool) { return s.object(sum(b[i*s.refs:(i+1)*s.refs]), depth-1) }
	list, all := []any{}, map[string]any{}
	for i := range n {
		v, ok := ref(i)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		if kind == 0xa {
			continue
		}
		name, isName := v.(string)
		if !isName {
			return nil, false
		}
		if all[name], ok = ref(n + i); !ok {
			return nil, false
		}
	}
	if kind == 0xa {
		return list, true
	}
	return all, true
}

func FuzzDecodePlist(f *testing.F) {
	b, _ := hex.DecodeString(python)
	f.Add(b)
	f.Add(sim.Plist(map[string]any{"BSD Name": "disk0", "Statistics": map[string]any{"Bytes (Read)": uint64(1) << 63}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := decodePlist(b)
		want, good := slowly(b)
		if ok != good || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v, want %v, %v", got, ok, want, good)
		}
	})
}
