package linux

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestDecodeMask(t *testing.T) {
	b := binary.NativeEndian.AppendUint64(nil, 1|1<<63)
	b = binary.NativeEndian.AppendUint64(b, 2)
	if got := decodeMask(b, 64); !slices.Equal(got, []int{0, 63, 65}) {
		t.Error(got)
	}
	b = binary.NativeEndian.AppendUint32(nil, 1<<31)
	b = binary.NativeEndian.AppendUint32(b, 1)
	if got := decodeMask(b, 32); !slices.Equal(got, []int{31, 32}) {
		t.Error(got)
	}
	if got := decodeMask(nil, 64); got == nil || len(got) > 0 {
		t.Error(got)
	}
}

func TestDecodeIOPriority(t *testing.T) {
	for v, want := range map[uint64]platform.IOPriority{
		0: {Class: "none"}, 1<<13 | 3: {Class: "realtime", Level: 3}, 2<<13 | 7: {Class: "best_effort", Level: 7},
		3 << 13: {Class: "idle"}, 7 << 13: {}, 2<<13 | 1<<3 | 4: {Class: "best_effort", Level: 4},
	} {
		if got := decodeIOPriority(v); got != want {
			t.Errorf("%#x: %+v, want %+v", v, got, want)
		}
	}
}

func FuzzDecodeMask(f *testing.F) {
	f.Add([]byte{5, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, word := range []int{32, 64} {
			want := []int{}
			for i := range len(b) / (word / 8) * word {
				at := i / word * (word / 8)
				long := uint64(binary.NativeEndian.Uint32(append(b[at:], 0, 0, 0)))
				if word == 64 {
					long = binary.NativeEndian.Uint64(b[at:])
				}
				if long&(1<<(i%word)) != 0 {
					want = append(want, i)
				}
			}
			alike(t, decodeMask(b, word), true, want, true)
		}
	})
}

func FuzzDecodeIOPriority(f *testing.F) {
	f.Add(uint64(2<<13 | 6))
	f.Fuzz(func(t *testing.T, v uint64) {
		names := []string{"none", "realtime", "best_effort", "idle", ""}
		want := platform.IOPriority{Class: names[min(v/8192, 4)], Level: int(v % 8)}
		alike(t, decodeIOPriority(v), true, want, true)
	})
}
