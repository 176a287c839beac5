package sysctl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestErrors(t *testing.T) {
	for number, want := range map[int]error{
		1: fs.ErrPermission, 13: fs.ErrPermission, 3: os.ErrProcessDone, 2: fs.ErrNotExist, 45: errors.ErrUnsupported,
		78: errors.ErrUnsupported, 6: errors.ErrUnsupported, 19: errors.ErrUnsupported, 0: ErrContent,
	} {
		if err := BSD.Error(number); !errors.Is(err, want) {
			t.Errorf("errno %d is %v, want %v", number, err, want)
		}
	}
	if err := BSD.Error(22); err == nil || reasonOf(err) != platform.Unknown {
		t.Errorf("errno 22 is %v", err)
	}
}

// Where an answer does not fit the kernel says how large it is; signals and a process
// that is executing another program are waited out.
func TestCall(t *testing.T) {
	size, answers := 10, []int{4, 16, 4}
	raw := func(buf []byte) (int, bool, int) {
		if len(answers) > 0 {
			number := answers[0]
			answers = answers[1:]
			return 0, true, number
		}
		if buf != nil && len(buf) < size {
			return 0, true, BSD.NoMemory
		}
		return size, false, 0
	}
	if n, err := BSD.Call(make([]byte, 4), raw); n != size || err != nil {
		t.Errorf("a small buffer: %d, %v", n, err)
	}
	if n, err := BSD.Call(make([]byte, 20), raw); n != size || err != nil {
		t.Errorf("a large buffer: %d, %v", n, err)
	}
	answers = slices.Repeat([]int{4}, 9)
	if _, err := BSD.Call(nil, raw); !errors.Is(err, errBusy) {
		t.Errorf("interrupted for ever: %v", err)
	}
	answers = []int{0}
	if _, err := BSD.Call(nil, raw); !errors.Is(err, ErrContent) {
		t.Errorf("failed without an error: %v", err)
	}
	size = 0 // says that it is too small, and that nothing is needed
	never := func(buf []byte) (int, bool, int) { return 0, buf != nil, BSD.NoMemory }
	if n, err := BSD.Call(make([]byte, 4), never); n != 5 || err != nil {
		t.Errorf("an answer that hides its size: %d, %v", n, err)
	}
}

// A table that outgrows every buffer ends, and says so.
func TestGrowEnds(t *testing.T) {
	calls := 0
	var buf []byte
	_, err := grow(&buf, func(b []byte) (int, error) { calls++; return len(b) + 1, nil })
	if err == nil || calls > 8 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestMembers(t *testing.T) {
	r := Row(binary.LittleEndian.AppendUint64(nil, 2<<32|3))
	r = binary.LittleEndian.AppendUint64(r, 5)
	for kind, want := range map[Kind]uint64{Count64: 2<<32 | 3, Count32: 3, Pages64: (2<<32 | 3) * 4096, Pages32: 3 * 4096,
		Kilobytes: (2<<32 | 3) * 1024, Micros: 3_000_002_000, Timeval: (2<<32|3)*1e9 + 5000, Segments: (3 + 2 + 5) * 4096} {
		if got := (Member{Kind: kind}).Value(r, 4096); got != want {
			t.Errorf("kind %d is %d, want %d", kind, got, want)
		}
	}
	if CString([]byte("ab\x00c")) != "ab" || CString([]byte("ab")) != "ab" {
		t.Error("strings end where they end")
	}
}

func FuzzBootTime(f *testing.F) {
	f.Add(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 1_700_000_000), 999_999), true)
	f.Add([]byte("short"), false)
	f.Fuzz(func(t *testing.T, b []byte, timeval bool) {
		unit := uint64(1)
		if timeval {
			unit = 1000
		}
		got, ok := decodeBootTime(b, unit)
		want, wantOK := slowBootTime(b, unit)
		if ok != wantOK || ok && got != want {
			t.Errorf("%d %v, want %d %v", got, ok, want, wantOK)
		}
	})
}

// slowBootTime is [decodeBootTime], byte by byte.
func slowBootTime(b []byte, unit uint64) (uint64, bool) {
	if len(b) < 16 {
		return 0, false
	}
	var seconds, fraction uint64
	for i := range 8 {
		seconds |= uint64(b[i]) << (8 * i)
	}
	for i := range 4 {
		fraction |= uint64(b[8+i]) << (8 * i)
	}
	nanos := fraction * unit
	return seconds*1_000_000 + nanos/1000, seconds != 0 && seconds < 1<<40 && nanos < 1_000_000_000
}

func FuzzLoad(f *testing.F) {
	b := make([]byte, 24)
	binary.LittleEndian.PutUint32(b, 1024)
	binary.LittleEndian.PutUint32(b[16:], 2048)
	f.Add(b)
	f.Add(b[:23])
	f.Add(make([]byte, 24))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := decodeLoad(b)
		if len(b) < 24 {
			if ok {
				t.Error("short, and taken")
			}
			return
		}
		one := float64(binary.LittleEndian.Uint32(b[16:]))
		if ok != (one != 0) {
			t.Fatalf("1 is %v, and %v", one, ok)
		}
		for i, v := range got {
			exact := float64(binary.LittleEndian.Uint32(b[4*i:])) / one * 100
			if d := float64(v) - exact; ok && (d > 0.51 || d < -0.51) {
				t.Errorf("load %d is %d, want %v", i, v, exact)
			}
		}
	})
}

func FuzzTick(f *testing.F) {
	f.Add([]byte{100, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0}, 8)
	f.Add([]byte{100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8)
	f.Add([]byte{100}, 12)
	f.Fuzz(func(t *testing.T, b []byte, rate int) {
		if rate = 8 + (rate&1)*4; len(b) < rate+4 {
			if _, ok := decodeTick(b, rate); ok {
				t.Error("short, and taken")
			}
			return
		}
		hz := int64(binary.LittleEndian.Uint32(b[rate:]))
		if hz == 0 {
			hz = int64(binary.LittleEndian.Uint32(b))
		}
		tick, ok := decodeTick(b, rate)
		if ok != (hz > 0 && hz <= 1_000_000_000) || ok && int64(tick) != 1_000_000_000/hz {
			t.Errorf("%d Hz is a tick of %d, %v", hz, tick, ok)
		}
	})
}

func FuzzOwners(f *testing.F) {
	f.Add([]byte("root:*:0:0:x:/:/bin/sh\n#x:*:1:\nno\nroot2:*:0:1:\n:*:7:\na:b:99999999999:1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeOwners(b)
		want := map[uint64]string{}
		for line := range strings.SplitAfterSeq(string(b), "\n") {
			members := strings.Split(line, ":")
			if len(members) < 4 || members[0] == "" || strings.HasPrefix(members[0], "#") || strings.HasPrefix(members[2], "+") {
				continue
			}
			if id, err := strconv.ParseUint(members[2], 10, 32); err == nil {
				if _, twice := want[id]; !twice {
					want[id] = members[0]
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for id, name := range want {
			if string(got[id]) != name {
				t.Errorf("%d is %q, want %q", id, got[id], name)
			}
		}
	})
}

// interfaces is a table of messages whose header has 16 bytes and tells its own length.
var interfaces = InterfaceTable{Type: 9, Size: 16, Header: 4}

func FuzzInterfaces(f *testing.F) {
	f.Add([]byte("\x20\x00\x00\x09\x10\x00..........\x00\x12\x00\x00\x00\x02\x06\x00em\x01\x02\x03\x04\x05\x06"))
	f.Add([]byte("\x04\x00\x00\x01\x03\x00"))
	f.Add([]byte("\x08\x00\x00\x09\x10\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []string
		whole := interfaces.decodeInterfaces(b, func(m message) bool {
			got = append(got, string(m.name)+"|"+string(m.address))
			return true
		})
		want, wantWhole := slowInterfaces(b)
		if whole != wantWhole || !slices.Equal(got, want) {
			t.Errorf("%q %v, want %q %v", got, whole, want, wantWhole)
		}
	})
}

// slowInterfaces reads the messages of [interfaces] through a reader.
func slowInterfaces(b []byte) (names []string, whole bool) {
	r := bytes.NewReader(b)
	for r.Len() > 0 {
		var head struct {
			Length        uint16
			Version, Type uint8
		}
		if binary.Read(r, binary.LittleEndian, &head) != nil || head.Length < 4 {
			return names, false
		}
		body := make([]byte, head.Length-4)
		if n, _ := r.Read(body); n != len(body) {
			return names, false
		}
		if head.Type != 9 {
			continue
		}
		if len(body) < 12 {
			return names, false
		}
		size := int(body[0]) + int(body[1])<<8
		if size < 16 || len(body)+4 < size+8 {
			return names, false
		}
		link := body[size-4:]
		name, address := int(link[5]), int(link[6])
		if link[1] != 18 || len(link) < 8+name+address {
			return names, false
		}
		names = append(names, string(link[8:8+name])+"|"+string(link[8+name:8+name+address]))
	}
	return names, true
}

func FuzzLogins(f *testing.F) {
	f.Add([]byte("ann\x00\x07\x00bob\x00\x02\x00"))
	table := LoginTable{Size: 6, Kind: 4}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, want := 0, 0
		table.decodeLogins(b, func(Row) { got++ })
		for i := 0; i+6 <= len(b); i += 6 {
			if b[i] != 0 && b[i+4] == 7 && b[i+5] == 0 {
				want++
			}
		}
		if got != want {
			t.Errorf("%d logged in, want %d", got, want)
		}
	})
}

func TestReasons(t *testing.T) {
	for err, want := range map[error]platform.Reason{os.ErrProcessDone: platform.Gone, fs.ErrPermission: platform.Denied,
		errors.ErrUnsupported: platform.Unsupported, fs.ErrNotExist: platform.Unsupported, ErrContent: platform.Unknown} {
		if got := reasonOf(err); got != want {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}

// addresses is a table of messages whose header has 12 bytes and tells its own length.
var addresses = AddressTable{Type: 9, Size: 12, Header: 4, Index: 6, Set: 8, Align: 4, Inet6: 30}

func FuzzAddresses(f *testing.F) {
	f.Add([]byte("\x2c\x00\x00\x09\x0c\x00\x05\x00\x24\x00\x00\x00\x07\x00\x00\x00\xff\xff\xfc\x00\x10\x02\x00\x00\x0a\x00\x00\x01abcdefgh"))
	f.Add([]byte("\x08\x00\x00\x09\x0c\x00\x00\x00"))
	f.Add([]byte("\x04\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []string
		whole := addresses.decodeAddresses(b, func(index int, a [places][]byte) {
			line := strconv.Itoa(index)
			for _, one := range a {
				line += "|" + string(one)
			}
			got = append(got, line)
			addresses.address(a, &platform.Interface{Name: "em0", Flags: []string{pointToPoint}})
		})
		want, wantWhole := slowAddresses(b)
		if whole != wantWhole || !slices.Equal(got, want) {
			t.Errorf("%q %v, want %q %v", got, whole, want, wantWhole)
		}
	})
}

// slowAddresses reads the messages of [addresses] byte by byte.
func slowAddresses(b []byte) (lines []string, whole bool) {
	for len(b) >= 4 {
		n := int(b[0]) + 256*int(b[1])
		if n < 4 || n > len(b) {
			return lines, false
		}
		m := b[:n]
		b = b[n:]
		if m[3] != 9 {
			continue
		}
		if len(m) < 12 {
			return lines, false
		}
		head := int(m[4]) + 256*int(m[5])
		if head < 12 || head > len(m) {
			return lines, false
		}
		line, at := strconv.Itoa(int(m[6])+256*int(m[7])), head
		for place := range 16 {
			line += "|"
			if m[8+place/8]>>(place%8)&1 == 0 {
				continue
			}
			if at >= len(m) || at+int(m[at]) > len(m) {
				return lines, false
			}
			line += string(m[at : at+int(m[at])])
			step := max(int(m[at]), 1)
			for step%4 != 0 {
				step++
			}
			at = min(at+step, len(m))
		}
		lines = append(lines, line)
	}
	return lines, len(b) == 0
}

// Masks are cut off behind their last byte that is not 0, and have no family of their own.
func TestMasks(t *testing.T) {
	for _, c := range []struct {
		mask string
		is4  bool
		want int
	}{
		{"\x07\x00\x00\x00\xff\xff\xfc", true, 22}, {"\x00\x00\x00\x00", true, 0}, {"\x08\x02\x00\x00\xff\xff\xff\xff", true, 32}, {"", true, 0},
		{"\x10\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", false, 64}, {"\x05\x00\x00\x00\x80", true, 1},
		{"\x07\x00\x00\x00\xff\x00\xff", true, 8},
	} {
		if got := addresses.bits([]byte(c.mask), c.is4); got != c.want {
			t.Errorf("%x is a prefix of %d, want %d", c.mask, got, c.want)
		}
	}
}

// How a file is open, in the words of fopen(3), and for whom a mapping is.
func TestModes(t *testing.T) {
	for want, of := range map[string][3]bool{"r": {true}, "w": {false, true}, "r+": {true, true}, "a": {false, true, true}, "a+": {true, true, true}, "": {}} {
		if got := Mode(of[0], of[1], of[2]); got != want {
			t.Errorf("%v is %q, want %q", of, got, want)
		}
	}
	if AccessFlags(true, true) != 2 || AccessFlags(false, true) != 1 || AccessFlags(true, false) != 0 {
		t.Error("O_RDONLY, O_WRONLY and O_RDWR are 0, 1 and 2")
	}
	if Permissions(5, false) != "r-xp" || Permissions(2, true) != "-w-s" {
		t.Error(Permissions(5, false), Permissions(2, true))
	}
	if got := Strings([]byte("a\x00\x00b")); !slices.Equal(got, []string{"a", "", "b"}) {
		t.Errorf("%q", got)
	}
}
