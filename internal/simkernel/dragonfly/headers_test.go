package dragonfly

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The declarations agree with the types that golang.org/x/sys/unix has of the same structures,
// on the one architecture that DragonFly runs on.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	for name, s := range map[string]*simkernel.Struct{"IfaMsghdr": ifaMsghdr, "Rusage": rusage} {
		of, sizes := simkernel.XSys(t, "dragonfly", "amd64", name)
		if size := int(sizes.Sizeof(of)); size != s.Size {
			t.Errorf("%s has %d bytes, in x/sys %d", name, s.Size, size)
		}
	}
	for name, want := range map[string]int{"IfMsghdr": ifMsghdr.Size, "IfData": ifData.Size, "Statfs_t": statfs.Size} {
		of, sizes := simkernel.XSys(t, "dragonfly", "amd64", name)
		if size := int(sizes.Sizeof(of)); size != want {
			t.Errorf("%s has %d bytes, in x/sys %d", name, want, size)
		}
	}
}
