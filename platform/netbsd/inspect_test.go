package netbsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// inspected opens a machine.
func inspected(t *testing.T) func(*simkernel.World) *simkernel.Inspected {
	return func(w *simkernel.World) *simkernel.Inspected {
		k := bsd.NetBSD(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return &simkernel.Inspected{World: w, Answers: &k.Answers, Inspector: b.(platform.Inspector)}
	}
}

func TestDetailFaults(t *testing.T)  { simkernel.DetailFaults(t, inspected(t)) }
func TestDetailRace(t *testing.T)    { simkernel.DetailRace(t, inspected(t)) }
func TestDetailLengths(t *testing.T) { simkernel.DetailLengths(t, 2500, inspected(t)) }

// The lists of the host are those of the world.
func TestHostDetails(t *testing.T) {
	simkernel.HostLists(t, inspected(t), simkernel.HostList{
		Mounts: 3, Mount: map[int]platform.Mount{1: {Device: 8, Root: "/", Point: "/ro", Type: "ffs", Source: "/dev/sd0", Options: "ro", ReadOnly: true}},
		Sessions: 2, Session: platform.Session{User: "ann", Terminal: "ttyp0", Host: "there.example", Started: bsd.Since, PID: 77},
	})
}

// A process of the kernel has no program; its threads are told.
func TestKernelProcess(t *testing.T) {
	k := bsd.NetBSD(simkernel.New(1, 8))
	k.System = true
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	simkernel.KernelProcess(t, b.(platform.Inspector))
	if h, err := hear(k, false); err != nil || h.Texts[platform.ProcessArguments] != "" {
		t.Errorf("%v, %q", err, h.Texts[platform.ProcessArguments])
	}
}

// Who has the PID of a zombie that was opened, and lives, is another.
func TestAfterZombie(t *testing.T) { simkernel.AfterZombie(t, inspected(t)(simkernel.New(1, 8))) }

// Every detail that is told has a source.
func TestDetailSources(t *testing.T) {
	simkernel.DetailSources(t, Details(), append([]string{"IOPriority", "SocketStats"}, world.Details.Lacks...)...)
}

// answer is what the made-up kernel says.
func answer(f *testing.F, mib ...int32) []byte {
	buf := make([]byte, 64<<10)
	n, err := bsd.NetBSD(simkernel.New(1, 8)).Sysctl(mib, buf)
	if err != nil {
		f.Fatal(err)
	}
	return buf[:n:n]
}

func FuzzDecodeThreads(f *testing.F) {
	f.Add(answer(f, ctlKern, kernLWP, 2, threadSize, 100))
	f.Add(make([]byte, threadSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeThreads(b)
		if whole != (len(b)%128 == 0) || len(all) != len(b)/128 {
			t.Fatalf("%d bytes are %d threads, %v", len(b), len(all), whole)
		}
		ids := map[uint64]int{}
		for at := 0; at+128 <= len(b); at += 128 {
			ids[uint64(b[at+32])|uint64(b[at+33])<<8|uint64(b[at+34])<<16|uint64(b[at+35])<<24]++
		}
		for _, thread := range all {
			ids[thread.Key.ID]--
		}
		for id, n := range ids {
			if n != 0 {
				t.Errorf("%d is told %d times too seldom", id, n)
			}
		}
	})
}

func FuzzDecodeMaps(f *testing.F) {
	f.Add(answer(f, ctlVM, vmProc, vmMap, 2, mapSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeMaps(b)
		if whole != (len(b)%1128 == 0) || len(all) != len(b)/1128 {
			t.Fatalf("%d bytes are %d mappings, %v", len(b), len(all), whole)
		}
		for i, m := range all {
			r := b[1128*i:]
			if m.Start != u64(r) || m.End != u64(r[8:]) || m.Offset != u64(r[16:]) || m.Inode != u64(r[64:]) || (m.Permissions[0] == 'r') != (r[48]&1 != 0) {
				t.Errorf("%+v", m)
			}
		}
	})
}

// FuzzDecodeSocket takes a socket apart.
func FuzzDecodeSocket(f *testing.F) {
	for _, list := range []string{"net.inet.tcp.pcblist", "net.inet6.tcp6.pcblist", "net.local.stream.pcblist"} {
		w := simkernel.New(1, 8)
		for range 100 {
			w.Step()
		}
		buf := make([]byte, 64<<10)
		n, err := bsd.NetBSD(w).Named(list, []int32{0, 0, pcbSize, pcbMost}, buf)
		if err != nil {
			f.Fatal(err)
		}
		for b := buf[:n]; len(b) >= pcbSize; b = b[pcbSize:] {
			f.Add(b[:pcbSize], true)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, tcp bool) {
		if len(b) != pcbSize {
			return
		}
		c, ok := connectionOf(sysctl.Row(b), tcp)
		family := uint32(b[24]) | uint32(b[25])<<8 | uint32(b[26])<<16 | uint32(b[27])<<24
		if ok != (family == 1 || family == 2 || family == 24) {
			t.Fatalf("family %d: %+v, %v", family, c, ok)
		}
		if ok && family != 1 && c.Local.IsValid() && c.Local.Port() != uint16(b[74])<<8|uint16(b[75]) {
			t.Errorf("%+v", c)
		}
	})
}

// u64 is the slow way to a number.
func u64(b []byte) (v uint64) {
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}
