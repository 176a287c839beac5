package darwin

import (
	"bytes"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// What no type of golang.org/x/sys shows has the sizes that the Rust crate libc has measured
// against the headers on machines, and those that get_pcblist_n() leaves for what is packed.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		s    *simkernel.Struct
		size int
	}{{kinfoProc, 648}, {taskInfo, 96}, {regionInfo, 96}, {rusageInfo, 160}, {fdInfo, 8}, {vmStatistics, 152}, {swapUsage, 32},
		{ifMsghdr, 160}, {ifData, 128}, {statfs, 2168}, {utmpx, 628}, {xinpgen, 24}, {xsocket, 104}, {xsockbuf, 32}, {xinpcb, 104},
		{vinfoStat, 136}, {vnodeInfoPath, 1176}, {vnodePaths, 2352}, {vnodeFile, 1200}, {regionPath, 1272}, {threadInfo, 112}, {inSockinfo, 80},
		{tcpSockinfo, 120}, {unSockinfo, 528}, {sockbufInfo, 24}, {socketInfo, 768}, {socketFile, 792}} {
		if c.s.Size != c.size {
			t.Errorf("%s has %d bytes, want %d", c.s.Name, c.s.Size, c.size)
		}
	}
}

// The declarations, laid out by the rules of the C ABI, agree with the types that
// golang.org/x/sys/unix has of the same structures, on both architectures.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	statfs.AgreesWithXSys(t, "darwin", "Statfs_t", "", 16)
	ifMsghdr.AgreesWithXSys(t, "darwin", "IfMsghdr2", "", 10)
	ifData.AgreesWithXSys(t, "darwin", "IfData64", "", 20)
	kinfoProc.AgreesWithXSys(t, "darwin", "KinfoProc", "", 2)
	eproc.AgreesWithXSys(t, "darwin", "Eproc", "", 18)
	ucred.AgreesWithXSys(t, "darwin", "Ucred", "", 4)
	vmspace.AgreesWithXSys(t, "darwin", "Vmspace", "", 4)
}

// A property list has the bytes that plutil(1) would write but for the widths of its table:
// here one that is taken apart by hand.
func TestPlist(t *testing.T) {
	want := append([]byte("bplist00"), 0x51, 'a', 0x10, 7, 0xd1, 0, 1, 0, 2)
	want = append(want, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0, 10)
	want = append(want, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17)
	if got := Plist(map[string]any{"a": uint64(7)}); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant\n% x", got, want)
	}
}
