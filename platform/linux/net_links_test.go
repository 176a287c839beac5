package linux

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestDecodeSpeed(t *testing.T) {
	for text, want := range map[string]uint64{"1000\n": 1e9, "100000\n": 1e11, "-1\n": 0, "4294967295\n": 0, "65535\n": 0, "0\n": 0, "": 0} {
		if got, ok := decodeSpeed([]byte(text)); got != want || ok != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
}

func TestDecodeHardware(t *testing.T) {
	if got := decodeHardware([]byte("02:fc:00:00:00:01")); !bytes.Equal(got, []byte{2, 0xfc, 0, 0, 0, 1}) {
		t.Errorf("%x", got)
	}
	if decodeHardware(nil) != nil || decodeHardware([]byte("no")) != nil {
		t.Error("no address is one")
	}
}

func FuzzDecodeHardware(f *testing.F) {
	f.Add([]byte("02:fc:00:00:00:01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := hex.DecodeString(strings.ReplaceAll(string(b), ":", ""))
		if err != nil || len(want) == 0 {
			want = nil
		}
		alike(t, decodeHardware(b), true, want, true)
	})
}

func FuzzDecodeSpeed(f *testing.F) {
	f.Add([]byte("1000\n"))
	f.Add([]byte("-1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		bits, ok := decodeSpeed(b)
		v, number := slowUint(slowTrim(string(b)), 10, 32)
		alike(t, bits, ok, v*1_000_000, number && v != 0 && v != 65535 && v != 1<<32-1)
	})
}
