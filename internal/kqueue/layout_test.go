package kqueue

import (
	"slices"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
)

var layouts = []struct {
	goos string
	*Layout
	c *simkernel.Struct
}{
	{"freebsd", &FreeBSD, simkernel.KeventOf(false, "uint64 ext[4]")},
	{"openbsd", &OpenBSD, simkernel.KeventOf(false, "")},
	{"netbsd", &NetBSD, simkernel.KeventOf(true, "")},
	{"darwin", &Darwin, simkernel.KeventOf(false, "")},
}

// The layouts agree with the declarations, and those with golang.org/x/sys/unix.
func TestLayouts(t *testing.T) {
	for _, l := range layouts {
		l.c.AgreesWithXSys(t, l.goos, "Kevent_t", "", 6)
		if l.Size != l.c.Size || l.Notes != l.c.Offset("fflags") || l.Data != l.c.Offset("data") ||
			identAt != l.c.Offset("ident") || filterAt != l.c.Offset("filter") || l.Wide != (l.c.At("flags").Size == 4) {
			t.Errorf("%s: %+v", l.goos, l.Layout)
		}
	}
}

// slow reads a member byte by byte.
func slow(b []byte, m simkernel.Member) (v uint64) {
	for i := range m.Size {
		v |= uint64(b[m.Offset+i]) << (8 * i)
	}
	return v
}

func FuzzDecode(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add(FreeBSD.append(nil, event{ident: 7, filter: -5, flags: evAdd, notes: noteExit, data: 256}))
	f.Add(NetBSD.append(nil, event{ident: 7, filter: 4, flags: evAdd, notes: noteExit, data: -1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, l := range layouts {
			e, ok := l.decode(b)
			if ok != (len(b) >= l.c.Size) {
				t.Fatalf("%s: %v", l.goos, ok)
			}
			if !ok {
				continue
			}
			filter := int32(slow(b, l.c.At("filter")))
			if !l.Wide {
				filter = int32(int16(filter))
			}
			want := event{slow(b, l.c.At("ident")), filter, uint32(slow(b, l.c.At("flags"))), uint32(slow(b, l.c.At("fflags"))), int64(slow(b, l.c.At("data")))}
			if e != want {
				t.Errorf("%s: %+v, want %+v", l.goos, e, want)
			}
			if again, _ := l.decode(l.append([]byte("x"), e)[1:]); again != e {
				t.Errorf("%s: %+v written is %+v", l.goos, e, again)
			}
		}
	})
}

// Every status that wait(2) tells is what sys/wait.h makes of it.
func TestExits(t *testing.T) {
	for status := range int64(1 << 16) {
		want := platform.Exit{Known: true, Code: status / 256}
		if signal := status % 128; signal != 0 {
			want = platform.Exit{Known: true, Signal: int(signal), Core: status/128%2 == 1}
		}
		if got := exitOf(status); got != want {
			t.Fatalf("%#x: %+v", status, got)
		}
	}
	if !slices.Equal([]platform.Exit{exitOf(1 << 16)}, []platform.Exit{{Known: true}}) {
		t.Error("what is beyond the byte is not of the code")
	}
}
