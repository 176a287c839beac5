package freebsd

import (
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

func TestStates(t *testing.T) {
	row := make(sysctl.Row, rowSize)
	for stat, want := range map[byte]platform.State{1: platform.StateSleeping, 2: platform.StateRunning, 3: platform.StateSleeping,
		4: platform.StateStopped, 5: platform.StateDefunct, 6: platform.StateSleeping, 7: platform.StateSleeping} {
		row[statAt] = stat
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("%d is %v, %v", stat, got, ok)
		}
	}
	for _, stat := range []byte{0, 8, 255} {
		row[statAt] = stat
		if _, ok := stateOf(row); ok {
			t.Errorf("%d is a state", stat)
		}
	}
}

// u64 is the slow way to a number.
func u64(b []byte, at int) (v uint64) {
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[at+i])
	}
	return v
}

func FuzzBintime(f *testing.F) {
	f.Add(uint64(1), uint64(1<<63))
	f.Add(uint64(0), uint64(184467440737095516)) // 10 ms, cut off
	f.Fuzz(func(t *testing.T, seconds, fraction uint64) {
		b := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, seconds), fraction)
		want := new(big.Int).SetUint64(fraction)
		want.Mul(want, big.NewInt(1e9)).Add(want, new(big.Int).Lsh(big.NewInt(1), 63)).Rsh(want, 64)
		if got := bintime(sysctl.Row(b), 0); got != seconds*1e9+want.Uint64() {
			t.Errorf("%d + %d is %d", seconds, fraction, got)
		}
	})
}

func FuzzDecodeCPUs(f *testing.F) {
	f.Add(binary.LittleEndian.AppendUint64(make([]byte, 72), 9))
	f.Add(make([]byte, 80))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []sysctl.CPUTime
		for id := 0; (id+1)*40 <= len(b); id++ {
			v := [5]uint64{}
			for i := range v {
				v[i] = u64(b, id*40+i*8)
			}
			if v != [5]uint64{} {
				want = append(want, sysctl.CPUTime{ID: uint64(id), User: v[0], Nice: v[1], System: v[2], Interrupt: v[3], Idle: v[4]})
			}
		}
		got, ok := decodeCPUs(b)
		if ok != (len(b)%40 == 0 && len(want) > 0) || ok && !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, ok, want)
		}
	})
}

func FuzzDecodeSwap(f *testing.F) {
	f.Add(append([]byte{2}, make([]byte, 31)...))
	f.Add(append([]byte{1}, make([]byte, 31)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, used, ok := decodeSwap(b)
		if want := len(b) >= 32 && u64(append(slices.Clone(b[:4]), 0, 0, 0, 0), 0) == 2; ok != want {
			t.Fatalf("%v, want %v", ok, want)
		}
		if ok && (blocks != u64(b, 20)&0xffffffff || used != u64(b, 24)&0xffffffff) {
			t.Errorf("%d, %d", blocks, used)
		}
	})
}

func FuzzDecodeLimit(f *testing.F) {
	f.Add(make([]byte, 16))
	f.Fuzz(func(t *testing.T, b []byte) {
		soft, hard, ok := decodeLimit(b)
		if ok != (len(b) >= 16) || ok && (soft != u64(b, 0) || hard != u64(b, 8)) {
			t.Errorf("%d, %d, %v", soft, hard, ok)
		}
	})
}

func FuzzDecodeLogins(f *testing.F) {
	user := make([]byte, 197)
	user[0], user[21] = 4, 'a'
	f.Add(append(user, make([]byte, 200)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want uint64
		for at := 0; at+197 <= len(b); at += 197 {
			if b[at] == 4 && b[at+21] != 0 {
				want++
			}
		}
		if got := decodeLogins(b); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	})
}

func FuzzDecodeSockets(f *testing.F) {
	list := append(append(binary.LittleEndian.AppendUint64(nil, 64), make([]byte, 56)...), append(binary.LittleEndian.AppendUint64(nil, 400), make([]byte, 392)...)...)
	f.Add(append(list, list[:64]...))
	f.Add(list[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		var want, got [][]byte
		whole := true
		for rest, first := b, true; len(rest) > 0; first = false {
			if len(rest) < 8 {
				whole = false
				break
			}
			n := u64(rest, 0)
			if n < 64 || n > uint64(len(rest)) {
				whole = false
				break
			}
			if !first && n >= 400 {
				want = append(want, rest[:n])
			}
			rest = rest[n:]
		}
		ok := decodeSockets(b, 400, func(r sysctl.Row) { got = append(got, r) })
		if ok != whole || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d records, %v, want %d, %v", len(got), ok, len(want), whole)
		}
	})
}
