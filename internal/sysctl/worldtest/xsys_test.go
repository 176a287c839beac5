package worldtest

import (
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The C declarations, laid out by the rules of the ABI, agree with the types that
// golang.org/x/sys/unix has of the same structures, member by member, on both
// architectures.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	netbsd, openbsd := netbsdHeaders(), openbsdHeaders()
	for _, c := range []struct {
		goos, name string
		s          Struct
		size       int
	}{
		{"netbsd", "Uvmexp", netbsd.memory, 632}, {"openbsd", "Uvmexp", openbsd.memory, 344},
		{"netbsd", "IfMsghdr", netbsd.message, 152}, {"openbsd", "IfMsghdr", openbsd.message, 168},
		{"netbsd", "Statvfs_t", netbsd.mount, 2256}, {"openbsd", "Statfs_t", openbsd.mount, 568},
	} {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(c.goos+"/"+arch+"/"+c.name, func(t *testing.T) {
				want, size := xsys(t, c.goos, arch, c.name)
				if got := c.s.offsets(); !slices.Equal(got, want) {
					t.Errorf("members at\n%v, in x/sys at\n%v", got, want)
				}
				if c.s.Size != size || size != c.size {
					t.Errorf("%d bytes, in x/sys %d, want %d", c.s.Size, size, c.size)
				}
			})
		}
	}
}

// offsets returns where the members are, in order, without those that only align.
func (s Struct) offsets() (all []int64) {
	for _, m := range s.members {
		if m.size > 0 {
			all = append(all, int64(m.at))
		}
	}
	slices.Sort(all)
	return all
}

// xsys returns where a type of x/sys has its members.
func xsys(t *testing.T, goos, arch, name string) (offsets []int64, size int) {
	t.Helper()
	of, sizes := simkernel.XSys(t, goos, arch, name)
	return flat(sizes, of, 0), int(sizes.Sizeof(of))
}

// flat returns the offsets of members, those of structures within among them. Times and
// numbers of file systems are one member.
func flat(sizes types.Sizes, s *types.Struct, base int64) (all []int64) {
	var fields []*types.Var
	for f := range s.Fields() {
		fields = append(fields, f)
	}
	for i, at := range sizes.Offsetsof(fields) {
		f := fields[i]
		inner, ok := f.Type().Underlying().(*types.Struct)
		switch {
		case f.Name() == "_" || strings.HasPrefix(f.Name(), "Pad_cgo"):
		case ok && inner.NumFields() > 3:
			all = append(all, flat(sizes, inner, base+at)...)
		default:
			all = append(all, base+at)
		}
	}
	return all
}

// What no type of x/sys shows has the sizes that others measured: NetBSD's rows of the
// table of processes, by a kernel that ran as a library (680 bytes each); the others by
// the Rust crate libc, which compares with the headers on the machine itself.
func TestSizes(t *testing.T) {
	netbsd, openbsd := netbsdHeaders(), openbsdHeaders()
	for name, c := range map[string][2]int{
		"netbsd kinfo_proc2": {netbsd.process.Size, 680}, "netbsd kinfo_file": {netbsd.file.Size, 120}, "netbsd kinfo_pcb": {netbsd.socket.Size, 640},
		"netbsd io_sysctl": {netbsd.disk.Size, 104}, "netbsd utmpx": {netbsd.login.Size, 520},
		"openbsd kinfo_proc": {openbsd.process.Size, 648}, "openbsd kinfo_file": {openbsd.file.Size, 632},
		"openbsd diskstats": {openbsd.disk.Size, 112}, "openbsd utmp": {openbsd.login.Size, 304},
	} {
		if c[0] != c[1] {
			t.Errorf("%s has %d bytes, want %d", name, c[0], c[1])
		}
	}
}
