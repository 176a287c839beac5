package darwin

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

func TestStates(t *testing.T) {
	row := make(sysctl.Row, rowSize)
	for stat, want := range map[byte]platform.State{statIdle: platform.StateSleeping, statSleep: platform.StateSleeping,
		statStopped: platform.StateStopped, statZombie: platform.StateDefunct} {
		row[statAt] = stat
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("%d is %v, %v", stat, got, ok)
		}
	}
	for _, stat := range []byte{0, statRun, 6, 255} {
		row[statAt] = stat
		if _, ok := stateOf(row); ok {
			t.Errorf("%d is a state", stat)
		}
	}
}

func FuzzNanoseconds(f *testing.F) {
	f.Add(uint64(240_000), uint64(24_000_000))
	f.Add(uint64(math.MaxUint64), uint64(1))
	f.Fuzz(func(t *testing.T, ticks, frequency uint64) {
		if frequency == 0 {
			return
		}
		want := new(big.Int).SetUint64(ticks)
		want.Div(want.Mul(want, big.NewInt(1e9)), new(big.Int).SetUint64(frequency))
		if !want.IsUint64() {
			want.SetUint64(math.MaxUint64)
		}
		if got := (&machine{frequency: frequency}).nanoseconds(ticks); got != want.Uint64() {
			t.Errorf("%d ticks at %d Hz are %d ns, want %d", ticks, frequency, got, want)
		}
	})
}

func FuzzDecodeArguments(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00/bin/a\x00\x00\x00a\x00-x\x00A=1\x00B=\x00\x00ptr=\x00"))
	f.Add([]byte("\x01\x00\x00\x00/bin/a\x00a\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xff/bin/a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		arguments, environment, ok := decodeArguments(b)
		if len(b) < 4 || int32(binary.LittleEndian.Uint32(b)) < 0 || bytes.Count(b[4:], []byte{0}) == 0 {
			if ok {
				t.Error("is whole")
			}
			return
		}
		count := int(int32(binary.LittleEndian.Uint32(b)))
		rest := b[4:]
		for rest[0] != 0 {
			rest = rest[1:]
		}
		for len(rest) > 0 && rest[0] == 0 {
			rest = rest[1:]
		}
		words := bytes.SplitAfter(rest, []byte{0})
		words = words[:len(words)-1] // what has no end
		if ok != (len(words) >= count) {
			t.Fatalf("%v with %d words of %d", ok, len(words), count)
		}
		if !ok {
			return
		}
		var want []byte
		for _, w := range words[count:] {
			if len(w) == 1 {
				break
			}
			want = append(want, w...)
		}
		if !bytes.Equal(arguments, bytes.Join(words[:count], nil)) || !bytes.Equal(environment, want) {
			t.Errorf("%q, %q, want %q", arguments, environment, want)
		}
	})
}

func FuzzDecodeSockets(f *testing.F) {
	head := append([]byte{24}, make([]byte, 23)...)
	socket := append([]byte{104, 0, 0, 0, 1}, make([]byte, 99)...)
	socket[68] = 7
	tcp := append([]byte{44, 0, 0, 0, 0x20}, make([]byte, 43)...)
	tcp[36] = 4
	f.Add(append(append(append(append([]byte{}, head...), socket...), tcp...), head...))
	f.Add(head)
	f.Add([]byte{24, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, want [][2]uint64
		whole := decodeSockets(b, func(pid uint64, tcp sysctl.Row) {
			if tcp == nil {
				got = append(got, [2]uint64{pid, 99})
			} else {
				got = append(got, [2]uint64{0, tcp.U32(36)})
			}
		})
		u32 := func(at int) uint64 {
			return uint64(b[at]) | uint64(b[at+1])<<8 | uint64(b[at+2])<<16 | uint64(b[at+3])<<24
		}
		ends := false
		if len(b) >= 24 && u32(0) == 24 {
			for at := 24; at+8 <= len(b); {
				n, kind := u32(at), u32(at+4)
				if ends = n == 24; ends || n < 8 || n > uint64(len(b)-at) {
					break
				}
				if kind == 1 && n >= 76 {
					want = append(want, [2]uint64{u32(at + 68), 99})
				}
				if kind == 32 && n >= 40 {
					want = append(want, [2]uint64{0, u32(at + 36)})
				}
				at += int(n)
				for at%8 != 0 {
					at++
				}
			}
		}
		if whole != ends || len(got) != len(want) {
			t.Fatalf("%v, %v, want %v, %v", got, whole, want, ends)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%v, want %v", got, want)
			}
		}
	})
}

func TestUniquePages(t *testing.T) {
	for mode, want := range map[uint32][2]uint64{1: {30, 10}, 2: {30, 30}, 3: {0, 0}, 4: {0, 0}, 8: {30, 30}} {
		for i, refs := range []uint32{1, 2} {
			r := make(sysctl.Row, regionSize)
			binary.LittleEndian.PutUint32(r[regionShare:], mode)
			binary.LittleEndian.PutUint32(r[regionRefs:], refs)
			binary.LittleEndian.PutUint32(r[regionPrivate:], 10)
			binary.LittleEndian.PutUint32(r[regionShared:], 20)
			if got := uniqueOf(r); got != want[i] {
				t.Errorf("mode %d, %d references: %d pages, want %d", mode, refs, got, want[i])
			}
		}
	}
}
