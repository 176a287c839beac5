package linux

import (
	"strconv"
	"strings"
	"testing"
)

const driversText = "/dev/tty             /dev/tty        5       0 system:/dev/tty\n" +
	"serial               /dev/ttyS       4 64-95 serial\nhvc                  /dev/hvc      229 0-7 system\n" +
	"ttyprintk            /dev/ttyprintk   5       3 console\n"

func TestTerminalName(t *testing.T) {
	for number, want := range map[uint32]string{
		0: "", 4<<8 | 1: "/dev/tty1", 4<<8 | 63: "/dev/tty63", 4<<8 | 64: "/dev/ttyS0", 4<<8 | 70: "/dev/ttyS6", 5<<8 | 1: "/dev/console",
		136 << 8: "/dev/pts/0", 34817: "/dev/pts/1", 136<<8 | 255: "/dev/pts/255", 137 << 8: "/dev/pts/256",
		1<<20 | 136<<8: "/dev/pts/256", 1<<20 | 136<<8 | 44: "/dev/pts/300", 229 << 8: "", 5 << 8: "",
	} {
		if got := terminalName(number); got != want {
			t.Errorf("%#x is %q, want %q", number, got, want)
		}
	}
}

func TestDecodeDrivers(t *testing.T) {
	for number, want := range map[uint32]string{
		229<<8 | 3: "/dev/hvc3", 5<<8 | 3: "/dev/ttyprintk0", 4<<8 | 66: "/dev/ttyS2", 229<<8 | 8: "", 7: "",
	} {
		if got, ok := decodeDrivers([]byte(driversText), number); got != want || ok != (want != "") {
			t.Errorf("%#x is %q, want %q", number, got, want)
		}
	}
}

func FuzzDecodeDrivers(f *testing.F) {
	f.Add([]byte(driversText), uint32(4<<8|64))
	f.Add([]byte("a /dev/b 4 1-2-3 c\na /dev/b 4 - c\n"), uint32(4<<8|1))
	f.Fuzz(func(t *testing.T, b []byte, number uint32) {
		name, ok := decodeDrivers(b, number)
		want, wantOK := slowDrivers(string(b), number)
		alike(t, name, ok, want, wantOK)
	})
}

func slowDrivers(s string, number uint32) (string, bool) {
	major, minor := uint64(number>>8&0xfff), uint64(number&0xff|number>>12&0xfff00)
	for _, line := range slowLines(s) {
		f := slowFields(line)
		if len(f) < 4 || !strings.HasPrefix(f[1], "/dev/") {
			continue
		}
		first, rest := leadingDigits(f[3]), strings.TrimPrefix(f[3], leadingDigits(f[3]))
		last := first
		if strings.HasPrefix(rest, "-") {
			last = leadingDigits(rest[1:])
		}
		have, ok := slowUint(f[2], 10, 64)
		from, okFrom := slowUint(first, 10, 64)
		to, okTo := slowUint(last, 10, 64)
		if ok && okFrom && okTo && have == major && from <= minor && minor <= to {
			return f[1] + strconv.FormatUint(minor-from, 10), true
		}
	}
	return "", false
}
