package windows

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// inspected opens a process of a world.
func inspected(t *testing.T, w *world, pid uint64) platform.Inspection {
	t.Helper()
	p, err := opened(t, w).(platform.Inspector).Inspect(context.Background(), platform.Key{ID: pid})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// got fails for an error.
func got[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return v
	}
}

func TestInspection(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		w.tasks[4].parent = 612
		p := inspected(t, w, 612)
		id := got[platform.Identity](t)(p.Identity())
		if id.Command != "svchost.exe" || id.Owner == nil || *id.Owner != `NT AUTHORITY\SYSTEM` || id.CPU.User != 5*time.Second || id.Parent != systemPid || id.Users != nil {
			t.Errorf("%+v", id)
		}
		if args := got[[]string](t)(p.Arguments()); !slices.Equal(args, []string{`C:\Windows\System32\svchost.exe`, "-k", "net svcs", "-p"}) {
			t.Errorf("%q", args)
		}
		if env := got[[]string](t)(p.Environment()); !slices.Equal(env, []string{"A=1", `Path=C:\`}) {
			t.Errorf("%q", env)
		}
		if dir := got[platform.Link](t)(p.WorkingDirectory()); dir.Path != `C:\Windows` {
			t.Errorf("%+v", dir)
		}
		if a := got[platform.Affinity](t)(p.Affinity()); !slices.Equal(a.CPUs, []int{0, 1, 3}) {
			t.Errorf("%v", a)
		}
		if io := got[platform.IOPriority](t)(p.IOPriority()); io.Class != "normal" {
			t.Errorf("%v", io)
		}
		if files := got[[]platform.OpenFile](t)(p.OpenFiles()); len(files) != 1 || files[0].FD != 8 || files[0].Path != `C:\data.txt` {
			t.Errorf("%v", files)
		}
		if threads := got[[]platform.Thread](t)(p.Threads()); len(threads) != 4 || *threads[0].State != platform.StateSleeping {
			t.Errorf("%+v", threads)
		}
		if kin := got[[]platform.Relative](t)(p.Children()); len(kin) != 1 || kin[0].Key.ID != 4711 {
			t.Errorf("%+v", kin)
		}
		if kin := got[[]platform.Relative](t)(p.Parents()); len(kin) != 1 || kin[0].Key.ID != systemPid {
			t.Errorf("%+v", kin)
		}
		checkConnections(t, w)
	}
}

func checkConnections(t *testing.T, w *world) {
	t.Helper()
	all := got[[]platform.Connection](t)(inspected(t, w, 4711).Connections())
	var listening, datagrams int
	for _, c := range all {
		if c.State == platform.TCPListen && !c.Peer.IsValid() {
			listening++
		}
		if c.Type == platform.TypeDatagram {
			datagrams++
		}
	}
	if len(all) != 6 || listening != 2 || datagrams != 1 {
		t.Errorf("%+v", all)
	}
	if none := got[[]platform.Connection](t)(inspected(t, w, 612).Connections()); none == nil || len(none) != 0 {
		t.Errorf("%+v", none)
	}
}

// The four answers for a process that gives nothing are different things.
func TestInspectionOfNobody(t *testing.T) {
	w := newWorld(8)
	p, gone, kernel := inspected(t, w, 612), inspected(t, w, 4711), inspected(t, w, systemPid)
	w.tasks[3].threads, w.tasks[3].parent = nil, 4711
	w.tasks[4].create++
	_, zombie := p.Arguments()
	_, other := gone.Threads()
	_, thread := kernel.OpenFiles()
	_, none := kernel.SocketStats()
	if !errors.Is(zombie, platform.ErrZombie) || !errors.Is(other, os.ErrProcessDone) || !errors.Is(thread, platform.ErrKernelThread) || !errors.Is(none, platform.ErrKernelThread) {
		t.Errorf("%v, %v, %v, %v", zombie, other, thread, none)
	}
	w = newWorld(8)
	w.tasks[3].denied = true
	if _, err := inspected(t, w, 612).Environment(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("refused: %v", err)
	}
}

// A handle that never tells costs the budget, not the program.
func TestOpenFilesHang(t *testing.T) {
	w := newWorld(8)
	w.hang = make(chan struct{})
	b, err := New(Options{Kernel: w, Budget: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: 612})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.OpenFiles(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	close(w.hang)
}

func TestInspectHost(t *testing.T) {
	i := opened(t, newWorld(8)).(platform.Inspector)
	ctx := context.Background()
	interfaces := got[[]platform.Interface](t)(i.Interfaces(ctx))
	if len(interfaces) != 2 || interfaces[0].Name != "Ethernet" || interfaces[0].State != "up" {
		t.Fatalf("%+v", interfaces)
	}
	addresses := interfaces[0].Addresses
	if len(addresses) != 2 || addresses[0].IP != netip.MustParseAddr("192.0.2.7") || addresses[0].Netmask() != netip.MustParseAddr("255.255.255.0") || !addresses[1].IP.Is6() {
		t.Errorf("%+v", addresses)
	}
	if mounts := got[[]platform.Mount](t)(i.Mounts(ctx)); len(mounts) != 3 || mounts[0].Point != `C:\` || mounts[0].Type != "NTFS" {
		t.Errorf("%+v", mounts)
	}
	if sessions := got[[]platform.Session](t)(i.Sessions(ctx)); len(sessions) != 1 || sessions[0].User != "ada" || sessions[0].Terminal != "Console" {
		t.Errorf("%+v", sessions)
	}
}
