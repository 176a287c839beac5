package linux

import (
	"strings"
	"testing"
)

const mountinfoText = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
36 27 98:0 /mnt1 /mnt\0402 ro,noatime master:1 shared:4 - ext3 /dev/root\011x rw,errors=continue
40 27 0:44 / /srv rw - nfs4 server:/export ro,vers=4.2
`

func TestDecodeMountinfo(t *testing.T) {
	lines := strings.Split(mountinfoText, "\n")
	for i, want := range []slowMount{
		{21, true, "/proc", "proc", "proc", "rw"},
		{254 << 20, true, "/", "ext4", "/dev/vda", "rw"},
		{98 << 20, false, `/mnt\0402`, "ext3", `/dev/root\011x`, "ro"},
		{44, true, "/srv", "nfs4", "server:/export", "ro"},
	} {
		m, ok := decodeMountinfo([]byte(lines[i]))
		if !ok || plain(m) != want {
			t.Errorf("%q: %v, %v", lines[i], plain(m), ok)
		}
	}
	for _, line := range []string{
		"", "22 27", "22 27 0:21 / /proc rw,relatime - ", "22 27 0:21 / /proc rw proc proc rw",
		"22 27 x:21 / /proc rw - proc proc rw", "22 27 0 / /proc rw - proc proc rw",
	} {
		if m, ok := decodeMountinfo([]byte(line)); ok {
			t.Errorf("%q gave %v", line, plain(m))
		}
	}
}

func plain(m mountLine) slowMount {
	return slowMount{m.device, m.whole, string(m.point), string(m.kind), string(m.source), m.mode}
}

func TestDecodeMount(t *testing.T) {
	m, ok := decodeMount([]byte(`/dev/hda1 /mnt\040x ext2 ro,noatime 0 0`))
	if want := (slowMount{0, true, `/mnt\040x`, "ext2", "/dev/hda1", "ro"}); !ok || plain(m) != want {
		t.Errorf("%v, %v", plain(m), ok)
	}
	if _, ok := decodeMount([]byte("/dev/hda1 / ext2")); ok {
		t.Error("a line without options was taken")
	}
}

func FuzzDecodeMountinfo(f *testing.F) {
	for line := range strings.Lines(mountinfoText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeMountinfo(b)
		want, wantOK := slowMountinfo(string(b))
		if ok != wantOK || ok && plain(m) != want {
			t.Fatalf("%v, %v, want %v, %v", plain(m), ok, want, wantOK)
		}
	})
}

func FuzzDecodeMount(f *testing.F) {
	f.Add([]byte(`/dev/hda1 /mnt\040x ext2 ro,noatime 0 0`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeMount(b)
		want, wantOK := slowMounts(string(b))
		if ok != wantOK || ok && plain(m) != want {
			t.Fatalf("%v, %v, want %v, %v", plain(m), ok, want, wantOK)
		}
	})
}
