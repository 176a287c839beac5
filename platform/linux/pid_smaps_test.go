package linux

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var mapLines = []string{
	"563e7cc4e000-563e7cc50000 r--p 00001000 fe:00 247026                     /usr/bin/a b ",
	"7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]",
	"7f0000000000-7f0000001000 ---s 00000000 00:01 1024 ",
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
}

func TestDecodeMap(t *testing.T) {
	for i, want := range []platform.MemoryMap{
		{Start: 0x563e7cc4e000, End: 0x563e7cc50000, Permissions: "r--p", Offset: 4096, Device: 0xfe << 20, Inode: 247026, Path: "/usr/bin/a b "},
		{Start: 0x7ffd00000000, End: 0x7ffd00021000, Permissions: "rw-p", Path: "[stack]"},
		{Start: 0x7f0000000000, End: 0x7f0000001000, Permissions: "---s", Device: 1, Inode: 1024},
		{Start: 0xffffffffff600000, End: 0xffffffffff601000, Permissions: "--xp", Path: "[vsyscall]"},
	} {
		var m platform.MemoryMap
		path, ok := decodeMap([]byte(mapLines[i]), &m)
		m.Path = string(path)
		if !ok || !reflect.DeepEqual(m, want) {
			t.Errorf("%v %+v, want %+v", ok, m, want)
		}
	}
	for _, line := range []string{"", "Rss: 1 kB", "1 2", "2-1 r--p 0 0:0 0", "1-2 r--px 0 0:0 0", "1-2 r--p 0 0 0", "1-2 r--p 0 0:0 x"} {
		if _, ok := decodeMap([]byte(line), new(platform.MemoryMap)); ok {
			t.Errorf("%q was taken", line)
		}
	}
}

func TestUnmarkMap(t *testing.T) {
	for _, test := range []struct {
		path   string
		exists bool
		want   platform.Link
	}{
		{"/a", false, platform.Link{Path: "/a"}},
		{"/a (deleted)", false, platform.Link{Path: "/a", Deleted: true}},
		{"/a (deleted)", true, platform.Link{Path: "/a (deleted)"}},
	} {
		if got := unmarkMap(test.path, func() bool { return test.exists }); got != test.want {
			t.Errorf("%+v: %+v", test, got)
		}
	}
}

func FuzzDecodeMap(f *testing.F) {
	for _, line := range mapLines {
		f.Add([]byte(line))
	}
	f.Add([]byte("1-2- r--p 0 0:0: 0 x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m platform.MemoryMap
		path, ok := decodeMap(b, &m)
		m.Path = string(path)
		want, wantOK := slowMap(string(b))
		alike(t, m, ok, want, wantOK)
	})
}

func FuzzDecodeMapUse(f *testing.F) {
	f.Add([]byte("Rss:    8 kB\nPss:   4 kB\nPrivate_Dirty: 18014398509481983 kB\nSwap: 18014398509481984 kB\nVmFlags: rd\nSize:\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := strings.Split(string(b), "\n")
		m := platform.MemoryMap{Use: &platform.MemoryUse{}}
		for _, line := range lines {
			decodeMapUse([]byte(line), &m)
		}
		use := slowMapUse(lines)
		want := platform.MemoryUse{
			RSS: use["Rss"], PSS: use["Pss"], SharedClean: use["Shared_Clean"], SharedDirty: use["Shared_Dirty"],
			PrivateClean: use["Private_Clean"], PrivateDirty: use["Private_Dirty"], SharedHugetlb: use["Shared_Hugetlb"],
			PrivateHugetlb: use["Private_Hugetlb"], Referenced: use["Referenced"], Anonymous: use["Anonymous"],
			Swap: use["Swap"], SwapPSS: use["SwapPss"],
		}
		alike(t, *m.Use, true, want, true)
	})
}

func slowMap(s string) (m platform.MemoryMap, ok bool) {
	f := slowFields(s)
	if len(f) < 5 {
		return m, false
	}
	from, to, _ := strings.Cut(f[0], "-")
	major, minor, _ := strings.Cut(f[3], ":")
	numbers := [6]uint64{}
	for i, text := range []string{from, to, f[2], major, minor} {
		if numbers[i], ok = slowUint(text, 16, 64); !ok {
			return m, false
		}
	}
	if numbers[5], ok = slowUint(f[4], 10, 64); !ok || len(f[1]) != 4 || numbers[0] > numbers[1] {
		return m, false
	}
	rest := s
	for _, field := range f[:5] {
		_, rest, _ = strings.Cut(rest, field)
	}
	return platform.MemoryMap{
		Start: numbers[0], End: numbers[1], Permissions: f[1], Offset: numbers[2],
		Device: numbers[3]<<20 | numbers[4], Inode: numbers[5], Path: strings.TrimLeft(rest, " "),
	}, true
}

func slowMapUse(lines []string) map[string]uint64 {
	use := map[string]uint64{}
	for _, line := range lines {
		key, value, _ := strings.Cut(line, ":")
		f := slowFields(value)
		if len(f) != 2 || f[1] != "kB" {
			continue
		}
		if v, ok := slowUint(f[0], 10, 54); ok {
			use[key] = v * 1024
		}
	}
	return use
}
