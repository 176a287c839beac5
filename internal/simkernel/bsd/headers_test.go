package bsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The declarations, laid out by the rules of the C ABI, agree with the types that
// golang.org/x/sys/unix has of the same structures, on both architectures.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	for _, c := range []struct {
		s          *simkernel.Struct
		goos, name string
	}{
		{netBSD.memory, "netbsd", "Uvmexp"}, {openBSD.memory, "openbsd", "Uvmexp"},
		{netBSD.message, "netbsd", "IfMsghdr"}, {openBSD.message, "openbsd", "IfMsghdr"},
		{netBSD.mount, "netbsd", "Statvfs_t"}, {openBSD.mount, "openbsd", "Statfs_t"}, {openBSD.address, "openbsd", "IfaMsghdr"},
	} {
		t.Run(c.goos+"/"+c.name, func(t *testing.T) { c.s.OffsetsAgreeWithXSys(t, c.goos, c.name) })
	}
}

// What no type of x/sys shows has the sizes that others measured: NetBSD's rows of the table
// of processes, by a kernel that ran as a library (680 bytes each); the others by the Rust
// crate libc, which compares with the headers on the machine itself.
func TestSizes(t *testing.T) {
	for name, c := range map[string][2]int{
		"netbsd kinfo_proc2": {netBSD.process.Size, 680}, "netbsd kinfo_file": {netBSD.file.Size, 120}, "netbsd kinfo_pcb": {netBSD.socket.Size, 640},
		"netbsd io_sysctl": {netBSD.disk.Size, 104}, "netbsd utmpx": {netBSD.login.Size, 520}, "netbsd kinfo_lwp": {netBSD.thread.Size, 128},
		"netbsd kinfo_vmentry": {netBSD.region.Size, 1128}, "netbsd ifa_msghdr": {netBSD.address.Size, 32},
		"openbsd kinfo_proc": {openBSD.process.Size, 648}, "openbsd kinfo_file": {openBSD.file.Size, 632},
		"openbsd diskstats": {openBSD.disk.Size, 112}, "openbsd utmp": {openBSD.login.Size, 304},
		"openbsd kinfo_vmentry": {openBSD.region.Size, 80},
	} {
		if c[0] != c[1] {
			t.Errorf("%s has %d bytes, want %d", name, c[0], c[1])
		}
	}
}
