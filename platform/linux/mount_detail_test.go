package linux

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestDecodeMountDetail(t *testing.T) {
	m, ok := decodeMountDetail([]byte(`36 35 98:1 /sub\040dir /mnt\0122 rw,noatime master:1 - fuse.x user@host:/a\040b ro,errors=continue`))
	want := platform.Mount{
		ID: 36, Parent: 35, Device: 98<<20 | 1, Root: "/sub dir", Point: "/mnt\n2", Type: "fuse.x", Source: "user@host:/a b",
		Options: "rw,noatime", SuperOptions: "ro,errors=continue", ReadOnly: true,
	}
	if !ok || m != want {
		t.Errorf("%v %+v, want %+v", ok, m, want)
	}
}

func FuzzDecodeMountDetail(f *testing.F) {
	f.Add([]byte(`36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue`))
	f.Add([]byte("1 2 3:4 / /a ro - tmpfs"))
	f.Fuzz(func(t *testing.T, b []byte) {
		line, _, _ := strings.Cut(string(b), "\n")
		m, ok := decodeMountDetail([]byte(line))
		want, wantOK := slowMountDetail(line)
		alike(t, m, ok, want, wantOK)
	})
}

func slowMountDetail(line string) (m platform.Mount, ok bool) {
	f := slowFields(line)
	hyphen := -1
	for i := 6; i < len(f) && hyphen < 0; i++ {
		if f[i] == "-" {
			hyphen = i
		}
	}
	if hyphen < 0 || len(f) < hyphen+2 {
		return m, false
	}
	f = append(f, "", "")
	major, minor, _ := strings.Cut(f[2], ":")
	first, ok1 := slowUint(major, 10, 64)
	second, ok2 := slowUint(minor, 10, 64)
	id, ok3 := slowUint(f[0], 10, 64)
	parent, ok4 := slowUint(f[1], 10, 64)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return m, false
	}
	readOnly := func(options string) bool { return options == "ro" || strings.HasPrefix(options, "ro,") }
	return platform.Mount{
		ID: id, Parent: parent, Device: first<<20 | second, Root: slowUnoctal(f[3]), Point: slowUnoctal(f[4]),
		Options: slowUnoctal(f[5]), Type: slowUnoctal(f[hyphen+1]), Source: slowUnoctal(f[hyphen+2]),
		SuperOptions: slowUnoctal(f[hyphen+3]), ReadOnly: readOnly(f[5]) || readOnly(f[hyphen+3]),
	}, true
}
