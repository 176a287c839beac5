package linux

import (
	"encoding/binary"
	"slices"
	"strconv"
	"testing"
)

func TestDecodeInteger(t *testing.T) {
	for s, want := range map[string]int64{"0\n": 0, "45000\n": 45000, "-5500\n": -5500, " 7 ": 7, "9223372036854775807": 1<<63 - 1, "-0": 0} {
		if v, ok := decodeInteger([]byte(s)); !ok || v != want {
			t.Errorf("%q: %d, %v", s, v, ok)
		}
	}
	for _, s := range []string{"", "\n", "-", "--1", "- 1", "+1", "1x", "1 2", "0x1", "9223372036854775808", "99999999999999999999"} {
		if v, ok := decodeInteger([]byte(s)); ok {
			t.Errorf("%q: %d", s, v)
		}
	}
}

func FuzzDecodeInteger(f *testing.F) {
	f.Add([]byte("-45000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := decodeInteger(b)
		s := slowTrim(string(b))
		want, err := strconv.ParseInt(s, 10, 64)
		wanted := err == nil && s[0] != '+' && want != -1<<63
		if ok != wanted || ok && v != want {
			t.Fatalf("%d %v, want %d %v", v, ok, want, err)
		}
	})
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add(dirents(".", "..", "hwmon0", "hwmon1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, folders []string
		decodeEntries(b, func(name []byte) { got = append(got, string(name)) })
		for at := 0; at+direntName < len(b); {
			length := int(binary.NativeEndian.Uint16(b[at+direntLength:]))
			if length <= direntName || at+length > len(b) {
				break
			}
			name := ""
			for _, c := range b[at+direntName : at+length] {
				if c == 0 {
					break
				}
				name += string([]byte{c})
			}
			if name != "" && name != "." && name != ".." {
				folders = append(folders, name)
			}
			at += length
		}
		if !slices.Equal(got, folders) {
			t.Fatalf("%q, want %q", got, folders)
		}
	})
}
