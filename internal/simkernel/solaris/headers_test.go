package solaris

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The sizes are those that others measured: recorded values of psinfo and usage on illumos
// have 416 and 504 bytes (github.com/snltd/illumos-telegraf-plugins), a record of utmpx has
// 372, and libkstat's structures have these on machines of 64 bits.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		s    *simkernel.Struct
		size int
	}{{psinfo, 416}, {lwpsinfo, 128}, {prusage, 504}, {kstat, 184}, {kstatNamed, 48}, {kstatIO, 80}, {futmpx, 372},
		{prxmap, 216}, {lifnum, 12}, {lifconf, 24}, {swapent, 48}, {tcpEntry, 68}, {tcp6Entry, 96}, {udpEntry, 36}, {udp6Entry, 64}} {
		if c.s.Size != c.size {
			t.Errorf("%s has %d bytes, want %d", c.s.Name, c.s.Size, c.size)
		}
	}
}

// What golang.org/x/sys has is laid out alike: interfaces' requests and addresses of sockets.
// The bytes behind prfdinfo_t begin at 196, as in the recorded ones.
func TestAgrees(t *testing.T) {
	for name, s := range map[string]*simkernel.Struct{"Lifreq": lifreq, "RawSockaddrInet4": sockaddrIn, "RawSockaddrInet6": sockaddrIn6} {
		of, sizes := simkernel.XSys(t, "solaris", "amd64", name)
		if size := int(sizes.Sizeof(of)); size != s.Size {
			t.Errorf("%s has %d bytes, in x/sys %d", name, s.Size, size)
		}
	}
	if at := prfdinfo.Offset("misc"); at != 196 {
		t.Errorf("items begin at %d", at)
	}
}
