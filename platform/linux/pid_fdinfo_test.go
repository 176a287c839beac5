package linux

import (
	"strings"
	"testing"
)

func TestDecodeFDInfo(t *testing.T) {
	position, flags, ok := decodeFDInfo([]byte("pos:\t4096\nflags:\t0102001\nmnt_id:\t27\nino:\t3\n"))
	if position != 4096 || flags != 0o102001 || !ok {
		t.Errorf("%d, %o, %v", position, flags, ok)
	}
	for _, text := range []string{"", "pos:\t1\n", "pos:\t-1\nflags:\t01\n", "pos:\t1\nflags:\t09\n", "pos:\t1\nflags:\t01"} {
		if _, _, ok := decodeFDInfo([]byte(text)); ok {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestOpenMode(t *testing.T) {
	for _, test := range []struct {
		machine string
		flags   uint32
		want    string
	}{
		{"x86_64", 0o100000, "r"}, {"x86_64", 0o100001, "w"}, {"x86_64", 0o100002, "r+"}, {"x86_64", 0o102001, "a"},
		{"x86_64", 0o102002, "a+"}, {"x86_64", 0o2000, "r"}, {"mips64", 0o11, "a"}, {"mips64", 0o2001, "w"},
		{"aarch64", 0o2001, "a"}, {"x86_64", 0o10000000, ""},
	} {
		if got := openMode(test.flags, appendFlag(test.machine)); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func FuzzDecodeFDInfo(f *testing.F) {
	f.Add([]byte("pos:\t4096\nflags:\t0100002\nmnt_id:\t27\n"))
	f.Add([]byte("flags:\t8\npos:\t-1\npos: 1\nflags:\t7 7\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		position, flags, ok := decodeFDInfo(b)
		wantPosition, wantFlags, wantOK := slowFDInfo(string(b))
		alike(t, [2]uint64{position, uint64(flags)}, ok, [2]uint64{wantPosition, uint64(wantFlags)}, wantOK)
	})
}

func FuzzDecodeSocketLink(f *testing.F) {
	f.Add([]byte("socket:[12345]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		inode, ok := decodeSocketLink(b)
		inner, isSocket := strings.CutPrefix(string(b), "socket:[")
		inner, closed := strings.CutSuffix(inner, "]")
		want, number := slowUint(inner, 10, 64)
		alike(t, inode, ok, want, isSocket && closed && number)
	})
}

func slowFDInfo(s string) (position uint64, flags uint32, ok bool) {
	var okPosition, okFlags bool
	for _, p := range slowColons(s) {
		if p[0] == "pos" {
			position, okPosition = slowUint(slowField(p[1], 0), 10, 64)
		}
		if p[0] == "flags" {
			v, ok := slowUint(slowTrim(p[1]), 8, 32)
			flags, okFlags = uint32(v), ok
		}
		if okPosition && okFlags {
			return position, flags, true
		}
	}
	return 0, 0, false
}
