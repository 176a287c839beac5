package openbsd

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
		k := bsd.OpenBSD(w)
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
	want := platform.Session{User: "ann", Terminal: "ttyp0", Host: "there.example", Started: bsd.Since}
	if err != nil || len(sessions) != 2 || sessions[0] != want {
		t.Errorf("%+v, %v, want %+v", sessions, err, want)
	}
}

// A process of the kernel has no program; its threads are told. Nobody has a PID beyond 31
// bits.
func TestKernelProcess(t *testing.T) {
	k := bsd.OpenBSD(simkernel.New(1, 8))
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
	k := bsd.OpenBSD(simkernel.New(1, 8))
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
	n, err := bsd.OpenBSD(simkernel.New(1, 8)).Sysctl(mib, buf)
	if err != nil {
		f.Fatal(err)
	}
	return buf[:n:n]
}

func FuzzDecodeThreads(f *testing.F) {
	f.Add(answer(f, ctlKern, kernProc, onePid|showThreads, 2, rowSize, 100))
	f.Add(make([]byte, rowSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeThreads(b)
		if whole != (len(b)%616 == 0) {
			t.Fatalf("%d bytes are %v", len(b), whole)
		}
		ids := map[uint64]int{}
		for at := 0; at+616 <= len(b); at += 616 {
			if id := uint64(b[at+608]) | uint64(b[at+609])<<8 | uint64(b[at+610])<<16 | uint64(b[at+611])<<24; id != 1<<32-1 {
				ids[id]++
			}
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

// FuzzDecodeFile takes what a process has open apart.
func FuzzDecodeFile(f *testing.F) {
	all := answer(f, ctlKern, kernFile, fileByPid, 2, fileSize, 100)
	for ; len(all) >= fileSize; all = all[fileSize:] {
		f.Add(all[:fileSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != fileSize {
			return
		}
		c, ok := connectionOf(sysctl.Row(b))
		family := uint32(b[292]) | uint32(b[293])<<8 | uint32(b[294])<<16 | uint32(b[295])<<24
		protocol := uint32(b[288]) | uint32(b[289])<<8 | uint32(b[290])<<16 | uint32(b[291])<<24
		ip := (family == 2 || family == 24) && (protocol == 6 || protocol == 17)
		if ok != (family == 1 || ip) {
			t.Fatalf("family %d, protocol %d: %+v, %v", family, protocol, c, ok)
		}
		if ip && c.Local.IsValid() && c.Local.Port() != uint16(b[304])<<8|uint16(b[305]) {
			t.Errorf("%+v", c)
		}
		if file := fileOf(sysctl.Row(b)); *file.Position != u64(b[56:]) || (file.Mode == "") != (b[8]&3 == 0) {
			t.Errorf("%+v", file)
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
