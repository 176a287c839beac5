package netbsd

import (
	"context"
	"errors"
	"os"
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
	w := simkernel.New(4, 8)
	m := inspected(t)(w)
	defer m.Close()
	for range 100 {
		if err := simkernel.CheckInterfaces(w, m.Inspector); err != nil {
			t.Fatal(err)
		}
		w.Step()
	}
	mounts, err := m.Mounts(context.Background())
	if err != nil || len(mounts) != 3 {
		t.Fatal(mounts, err)
	}
	if want := (platform.Mount{Device: 8, Root: "/", Point: "/ro", Type: "ffs", Source: "/dev/sd0", Options: "ro", ReadOnly: true}); mounts[1] != want {
		t.Errorf("%+v, want %+v", mounts[1], want)
	}
	sessions, err := m.Sessions(context.Background())
	want := platform.Session{User: "ann", Terminal: "ttyp0", Host: "there.example", Started: bsd.Since, PID: 77}
	if err != nil || len(sessions) != 2 || sessions[0] != want {
		t.Errorf("%+v, %v, want %+v", sessions, err, want)
	}
}

// A process of the kernel has no program; its threads are told. Nobody has a PID beyond 31
// bits.
func TestKernelProcess(t *testing.T) {
	k := bsd.NetBSD(simkernel.New(1, 8))
	k.System = true
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Arguments(); !errors.Is(err, platform.ErrKernelThread) {
		t.Error(err)
	}
	if threads, err := p.Threads(); err != nil || len(threads) != 1 {
		t.Error(threads, err)
	}
	for _, pid := range []uint64{1 << 31, 1 << 40, 4000} {
		if _, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: pid}); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%d: %v", pid, err)
		}
	}
	if h, err := hear(k, false); err != nil || h.Texts[platform.ProcessArguments] != "" {
		t.Errorf("%v, %q", err, h.Texts[platform.ProcessArguments])
	}
}

// Who has the PID of a zombie that was opened, and lives, is another.
func TestAfterZombie(t *testing.T) {
	k := bsd.NetBSD(simkernel.New(1, 8))
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	who := k.World.Find(k.Self)
	who.State = simkernel.Zombie
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Threads(); !errors.Is(err, platform.ErrZombie) {
		t.Error(err)
	}
	who.State = simkernel.Sleeping
	if _, err := p.Threads(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	if id, err := p.Identity(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%+v, %v", id, err)
	}
}

// Every detail that is told has a source.
func TestDetailSources(t *testing.T) {
	told := map[string]bool{}
	for _, d := range Details() {
		told[d.Detail] = len(d.Reads) > 0
	}
	lacks := append([]string{"IOPriority", "SocketStats"}, world.Details.Lacks...)
	for _, name := range lacks {
		if told[name] {
			t.Errorf("%s has a source", name)
		}
	}
	if len(told)+len(lacks) != 20 {
		t.Errorf("%v", told)
	}
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
