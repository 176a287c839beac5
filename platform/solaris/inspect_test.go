package solaris

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
)

// inspected opens a machine. A thread whose name is refused has none, and an interface whose
// statistic is gone has no speed.
func inspected(t *testing.T) func(*simkernel.World) *simkernel.Inspected {
	return func(w *simkernel.World) *simkernel.Inspected {
		k := sim.New(w)
		b, err := New(Options{Kernel: k, Budget: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return &simkernel.Inspected{World: w, Answers: &k.Answers, Inspector: b.(platform.Inspector),
			Spare: map[string]bool{"lwpname": true, "link net": true}}
	}
}

func TestDetailFaults(t *testing.T)  { simkernel.DetailFaults(t, inspected(t)) }
func TestDetailRace(t *testing.T)    { simkernel.DetailRace(t, inspected(t)) }
func TestDetailLengths(t *testing.T) { simkernel.DetailLengths(t, 2500, inspected(t)) }

// The lists of the host are those of the world.
func TestHostDetails(t *testing.T) {
	simkernel.HostLists(t, inspected(t), simkernel.HostList{
		Mounts: 5, Mount: map[int]platform.Mount{
			0: {Device: 0x4410002, Root: "/", Point: "/", Type: "zfs", Source: "rpool/ROOT/a", Options: "rw,devices,dev=4410002"},
			4: {Root: "/", Point: "/ro", Type: "hsfs", Source: "/dev/dsk/c1", Options: "ro", ReadOnly: true},
		},
		Sessions: 1, Session: platform.Session{User: "root", Terminal: "pts/1", Host: "there.example", PID: 77, Started: sim.Since},
	})
}

// A process of the kernel has no program; its threads are told.
func TestKernelProcess(t *testing.T) {
	k := sim.New(simkernel.New(1, 8))
	k.Core = true
	b, err := New(Options{Kernel: k, Budget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	simkernel.KernelProcess(t, b.(platform.Inspector))
}

// self inspects the observer.
func self(t *testing.T, k *sim.Kernel) platform.Inspection {
	t.Helper()
	p, err := open(t, k).(platform.Inspector).Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// A release without fdinfo and lwpname tells files by their links, threads without names, and
// says why it tells no sockets.
func TestOlderRelease(t *testing.T) {
	k := machine()
	k.Old = true
	p := self(t, k)
	want := platform.OpenFile{FD: simkernel.FileFD, Path: k.Find(k.Self).Path()}
	if files, err := p.OpenFiles(); err != nil || len(files) != 1 || files[0] != want {
		t.Errorf("%+v, %v, want %+v", files, err, want)
	}
	if _, err := p.Connections(); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, errNoInfo) {
		t.Error(err)
	}
	if threads, err := p.Threads(); err != nil || len(threads) == 0 || threads[0].Name != "" {
		t.Errorf("%+v, %v", threads, err)
	}
	for _, call := range []string{"fd", "fd/3", "path/3"} {
		for _, fault := range []error{fs.ErrPermission, errors.New("odd")} {
			k.Fail = func(name string) error {
				if name == call {
					return fault
				}
				return nil
			}
			if files, err := p.OpenFiles(); !errors.Is(err, fault) {
				t.Errorf("%s: %+v, %v", call, files, err)
			}
		}
	}
}

// Lists that outgrow their buffers, and structures that are longer than on illumos, are read
// whole.
func TestLongLists(t *testing.T) {
	k := machine()
	k.Long = 24
	who := k.Find(k.Self)
	who.Threads = 700
	threads, err := self(t, k).Threads()
	if err != nil || len(threads) != 700 {
		t.Fatal(len(threads), err)
	}
	for n, thread := range threads {
		if thread.Key.ID != who.Thread(uint64(n)) || thread.Name != simkernel.ThreadName(uint64(n)) {
			t.Fatalf("%d is %+v", n, thread)
		}
	}
}

// A process that is bound to a CPU may run there alone; who is in a set nothing tells.
func TestBound(t *testing.T) {
	k := machine()
	k.Bound = 3
	if a, err := self(t, k).Affinity(); err != nil || len(a.CPUs) != 1 || a.CPUs[0] != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	k.Set = true
	if a, err := self(t, k).Affinity(); !errors.Is(err, errProcessorSet) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%+v, %v", a, err)
	}
}

// A process whose name of a link is gone still lives: its folder has no name, and it is not
// gone.
func TestNoName(t *testing.T) {
	k := machine()
	p := self(t, k)
	k.Fail = func(name string) error {
		if name == "path/cwd" || name == "path/a.out" {
			return fs.ErrNotExist
		}
		return nil
	}
	if l, err := p.WorkingDirectory(); !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%+v, %v", l, err)
	}
	maps, err := p.MemoryMaps()
	if err != nil || maps[0].Path != "a.out" {
		t.Errorf("%+v, %v", maps, err)
	}
}

// One that was opened while it lived is a zombie when it ends, and gone when it was waited for
// or another has its PID.
func TestEnds(t *testing.T) {
	k := machine()
	p := self(t, k)
	who := k.Find(k.Self)
	was := who.State
	who.State = simkernel.Zombie
	if _, err := p.Threads(); !errors.Is(err, platform.ErrZombie) {
		t.Error(err)
	}
	if id, err := p.Identity(); err != nil || id.Key != p.Key() || *id.State != platform.StateDefunct {
		t.Errorf("%+v, %v", id, err)
	}
	who.State, who.Born, who.Clock = was, who.Born+simkernel.Tick, who.Clock+simkernel.Tick
	if _, err := p.Threads(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	k.Processes = nil
	if _, err := p.Identity(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	if kin, err := p.Parents(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(kin, err)
	}
}

// Who has the PID of one that ended, and has ended too, is another: a zombie tells when it was
// made. So is who lives where a zombie was opened. What does not tell is taken for who it was.
func TestEndsTwice(t *testing.T) {
	for name, c := range map[string]struct {
		opened, found simkernel.State
		born          time.Duration
		fails         bool
		want          error
	}{
		"the same zombie":                 {simkernel.Sleeping, simkernel.Zombie, 0, false, platform.ErrZombie},
		"another zombie":                  {simkernel.Sleeping, simkernel.Zombie, simkernel.Tick, false, os.ErrProcessDone},
		"a zombie that does not tell":     {simkernel.Sleeping, simkernel.Zombie, simkernel.Tick, true, platform.ErrZombie},
		"the zombie that was opened":      {simkernel.Zombie, simkernel.Zombie, 0, false, platform.ErrZombie},
		"another after a zombie":          {simkernel.Zombie, simkernel.Zombie, simkernel.Tick, false, os.ErrProcessDone},
		"one that lives after a zombie":   {simkernel.Zombie, simkernel.Sleeping, simkernel.Tick, false, os.ErrProcessDone},
		"one that lives after one did so": {simkernel.Sleeping, simkernel.Sleeping, simkernel.Tick, false, os.ErrProcessDone},
	} {
		k := machine()
		who := k.Find(k.Self)
		who.State = c.opened
		p := self(t, k)
		who.State, who.Born, who.Clock = c.found, who.Born+c.born, who.Clock+c.born
		k.Fail = func(call string) error {
			if call == "usage" && c.fails {
				return fs.ErrPermission
			}
			return nil
		}
		if _, err := p.Threads(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A pass takes a zombie for who had its PID only where both were made at the same time.
func TestZombieOfAnother(t *testing.T) {
	for born, want := range map[time.Duration]bool{0: true, simkernel.Tick: false} {
		k := machine()
		b := open(t, k)
		who := k.Find(k.Self)
		start := uint64(who.Clock)
		if h := simkernel.NewHeard(); h.Read(b, simkernel.All(b)) != nil {
			t.Fatal("no pass")
		}
		who.State, who.Born, who.Clock = simkernel.Zombie, who.Born+born, who.Clock+born
		err := readKey(t, b, platform.Key{ID: k.Self, Start: start})
		if (err == nil) != want || err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("one made %v later: %v", born, err)
		}
	}
}

// readKey reads one process by its key.
func readKey(t *testing.T, b platform.Backend, key platform.Key) error {
	t.Helper()
	r, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return r.Process(key, 1, simkernel.NewHeard())
}

// One that is closed, a context that has ended and a backend that is closed tell nothing.
func TestInspectionEnds(t *testing.T) {
	b := open(t, machine()).(platform.Inspector)
	ctx, cancel := context.WithCancel(context.Background())
	p, err := b.Inspect(ctx, platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.Threads(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := b.Inspect(ctx, platform.Self); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := errors.Join(p.Close(), p.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if _, err := p.Identity(); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	ctx = context.Background()
	_, failed := b.Interfaces(ctx)
	_, failed2 := b.Mounts(ctx)
	_, failed3 := b.Sessions(ctx)
	for _, err := range []error{failed, failed2, failed3} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	}
}

// Every detail that is told has a source, and every other one says why not.
func TestDetailSources(t *testing.T) {
	told := map[string]bool{}
	for _, d := range Details() {
		told[d.Detail] = len(d.Reads) > 0
	}
	p := self(t, machine())
	for name, ask := range map[string]func() error{
		"Limits":      func() error { _, err := p.Limits(); return err },
		"IOPriority":  func() error { _, err := p.IOPriority(); return err },
		"SocketStats": func() error { _, err := p.SocketStats(); return err },
	} {
		if err := ask(); !errors.Is(err, errors.ErrUnsupported) || told[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(told) != 17 {
		t.Errorf("%d: %v", len(told), told)
	}
}

// How files are open, in the words of fopen(3).
func TestModes(t *testing.T) {
	for flags, want := range map[uint32]string{0: "r", 1: "w", 2: "r+", 3: "", 8: "r", 9: "a", 10: "a+", 0x82: "r+"} {
		if got := modeOf(flags); got != want {
			t.Errorf("%#x is %q, want %q", flags, got, want)
		}
	}
}

// The numbers of calls are those of golang.org/x/sys, of which they are the low 32 bits.
func TestIoctls(t *testing.T) {
	want := map[string]uint32{"SIOCGLIFNUM": getNumber, "SIOCGLIFCONF": getList, "SIOCGLIFADDR": getAddress, "SIOCGLIFDSTADDR": getPeer,
		"SIOCGLIFFLAGS": getFlags, "SIOCGLIFMTU": getMTU, "SIOCGLIFBRDADDR": getBroadcast, "SIOCGLIFINDEX": getIndex, "SIOCGLIFHWADDR": getHardware,
		"AF_UNIX": familyUnix, "AF_INET": familyInet, "AF_INET6": familyInet6, "SOCK_STREAM": socketStream, "SOCK_DGRAM": socketDatagram,
		"SOCK_SEQPACKET": socketSeqPacket, "S_IFMT": modeKind, "S_IFREG": modeRegular, "S_IFSOCK": modeSocket,
		"IFF_UP": flagUp, "IFF_BROADCAST": flagBroadcast, "IFF_LOOPBACK": flagLoopback, "IFF_POINTOPOINT": flagPeer, "IFF_RUNNING": flagRunning}
	for name, v := range simkernel.XSysNumbers(t, "solaris", "amd64") {
		if number, ok := want[name]; ok {
			delete(want, name)
			if uint32(v) != number {
				t.Errorf("%s is %#x, want %#x", name, number, uint32(v))
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%v are not there", want)
	}
}
