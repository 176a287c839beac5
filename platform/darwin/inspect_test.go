package darwin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/darwin"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// inspected opens a machine.
func inspected(t *testing.T) func(*simkernel.World) *simkernel.Inspected {
	return func(w *simkernel.World) *simkernel.Inspected {
		k := sim.New(w)
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
		Mounts: 3, Mount: map[int]platform.Mount{1: {Device: 8, Root: "/", Point: "/ro", Type: "apfs", Source: "/dev/disk3s1", Options: "ro", ReadOnly: true}},
		Sessions: 1, Session: platform.Session{User: "root", Terminal: "ttys001", Host: "there.example", PID: 77, Started: time.Unix(1_790_000_100, 0)},
	})
}

// A descriptor that is closed between the list and the question is left out, as is a thread
// that ends. The process may be anybody's while a pass goes on.
func TestClosedMeanwhile(t *testing.T) {
	m := inspected(t)(simkernel.New(4, 8))
	defer m.Close()
	r, err := m.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := m.Inspect(context.Background(), platform.Key{ID: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	gone := map[string]error{"proc_info 3 2": fs.ErrClosed, "proc_info 3 3": errors.ErrUnsupported, "proc_info 2 15": os.ErrProcessDone}
	m.Fail = func(name string) error { return gone[name] }
	if files, err := p.OpenFiles(); err != nil || files == nil || len(files) != 0 {
		t.Error(files, err)
	}
	if sockets, err := p.Connections(); err != nil || sockets == nil || len(sockets) != 0 {
		t.Error(sockets, err)
	}
	if threads, err := p.Threads(); err != nil || threads == nil || len(threads) != 0 {
		t.Error(threads, err)
	}
}

// The kernel itself has no program.
func TestKernelProcess(t *testing.T) {
	k := sim.New(simkernel.New(1, 8))
	k.Processes[0].PID = 0
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: 0, Start: uint64(k.Processes[0].Clock.Microseconds())})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Arguments(); !errors.Is(err, platform.ErrKernelThread) {
		t.Error(err)
	}
}

// Every detail that is told has a source.
func TestDetailSources(t *testing.T) {
	simkernel.DetailSources(t, Details(), "Affinity", "Limits", "IOPriority", "SocketStats")
}

// FuzzDecodeSocket takes what is known of a socket apart.
func FuzzDecodeSocket(f *testing.F) {
	k := sim.New(simkernel.New(1, 8))
	for _, fd := range []uint64{simkernel.SocketFD, simkernel.UnixFD} {
		b := make([]byte, socketInfoSize)
		if _, err := k.ProcInfo(callFileInfo, 1, flavorSocket, fd, b); err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < socketInfoSize {
			return
		}
		c, ok := connectionOf(5, sysctl.Row(b))
		kind, protocol := b[256], b[180]
		wide := kind > 3 || b[257]|b[258]|b[259]|b[181]|b[182]|b[183] != 0
		want := !wide && (kind == 3 || kind == 2 && protocol == 6 || kind == 1 && (protocol == 17 || protocol == 6))
		if kind == 3 && b[257]|b[258]|b[259] == 0 {
			want = true
		}
		if ok != want {
			t.Fatalf("kind %d, protocol %d: %+v, %v", kind, protocol, c, ok)
		}
		if ok && c.Family != platform.FamilyUnix && c.Local.IsValid() && c.Local.Port() != uint16(b[268])<<8|uint16(b[269]) {
			t.Errorf("%+v", c)
		}
	})
}

// FuzzDecodeThread takes a thread apart.
func FuzzDecodeThread(f *testing.F) {
	f.Add(make([]byte, threadSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != threadSize {
			return
		}
		thread := threadOf(7, sysctl.Row(b))
		name := ""
		for _, c := range b[48:] {
			if c == 0 {
				break
			}
			name += string([]byte{c})
		}
		known := b[24] >= 1 && b[24] <= 5 && b[25]|b[26]|b[27] == 0
		if thread.Name != name || (thread.State != nil) != known {
			t.Errorf("%+v", thread)
		}
	})
}
