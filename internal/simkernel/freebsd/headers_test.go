package freebsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// What no type of golang.org/x/sys shows has the sizes that the headers check at compile
// time (KINFO_PROC_SIZE), or that others measured on machines: the Rust crate libc, which
// compares itself with the headers there.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		s    *simkernel.Struct
		size int
	}{{kinfoProc, 1088}, {rusage, 144}, {xfile, 128}, {xinpcb, 400}, {xtcpcb, 744}, {xinpgen, 64}, {devstat, 288}, {ifMsghdr, 168}, {statfs, 2344}, {xswdev, 32}} {
		if c.s.Size != c.size {
			t.Errorf("%s has %d bytes, want %d", c.s.Name, c.s.Size, c.size)
		}
	}
}

// The declarations, laid out by the rules of the C ABI, agree with the types that
// golang.org/x/sys/unix has of the same structures, on both architectures.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	statfs.AgreesWithXSys(t, "freebsd", "Statfs_t", "", 20)
	ifMsghdr.AgreesWithXSys(t, "freebsd", "ifMsghdr", "", 6)
	ifData.AgreesWithXSys(t, "freebsd", "ifData", "", 20)
	rusage.AgreesWithXSys(t, "freebsd", "Rusage", "", 16)
}
