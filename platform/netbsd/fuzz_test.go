package netbsd

import (
	"encoding/binary"
	"testing"
)

func FuzzCPU(f *testing.F) {
	f.Add(make([]byte, 40))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := decodeCPU(b)
		if ok != (len(b) >= 40) {
			t.Fatalf("%d bytes are %v", len(b), ok)
		}
		for i, v := range [...]uint64{got.User, got.Nice, got.System, got.Interrupt, got.Idle} {
			if ok && v != binary.LittleEndian.Uint64(b[8*i:]) {
				t.Errorf("time %d is %d", i, v)
			}
		}
	})
}
