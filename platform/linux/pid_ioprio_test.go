package linux

import (
	"strconv"
	"strings"
	"testing"
)

// slowOwnNumber is decodeOwnNumber without care for speed.
func slowOwnNumber(s string, pid uint64) (ours bool) {
	if i := strings.LastIndexByte(s, '\n'); i < len(s) {
		s = s[:i+1]
	}
	for _, line := range strings.Split(s, "\n") {
		key, value, _ := strings.Cut(line, ":")
		fields := slowFields(value)
		is := false
		if len(fields) > 0 {
			v, err := strconv.ParseUint(fields[0], 10, 64)
			is = err == nil && v == pid
		}
		switch key {
		case "Tgid":
			ours = is
		case "NSpid":
			return is && len(fields) == 1
		}
	}
	return ours
}

func FuzzDecodeOwnNumber(f *testing.F) {
	f.Add("Tgid:\t6113\nNSpid:\t6113\t1\n", uint64(6113))
	f.Add("Tgid:\t1\nNSpid:\t1\n", uint64(1))
	f.Add("Tgid:\t1\nNSpid:\t1", uint64(1))
	f.Fuzz(func(t *testing.T, s string, pid uint64) {
		if got, want := decodeOwnNumber([]byte(s), pid), slowOwnNumber(s, pid); got != want {
			t.Errorf("%q of %d: %v, slowly %v", s, pid, got, want)
		}
	})
}
