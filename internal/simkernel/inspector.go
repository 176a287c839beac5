package simkernel

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// TestInspector checks what package platform promises of an inspector on a made-up kernel, on
// a world of its own for each promise. The observer lives there, and denies nothing.
func TestInspector(t *testing.T, d Dialect, details []platform.DetailSource) {
	t.Helper()
	platformtest.TestInspectorAs(t, func() (platform.Backend, *platformtest.Observer, error) {
		w := New(3, 8)
		for range 60 {
			w.Step()
		}
		b, err := d.Open(w)
		return b, w.observer(details), err
	})
}

// observer is whoever looks, as it is.
func (w *World) observer(details []platform.DetailSource) *platformtest.Observer {
	p := w.Find(w.Self)
	open := func() (*platformtest.Opened, error) {
		p.Closed = false
		return &platformtest.Opened{Path: p.Path(), FD: FileFD, Close: func() error { p.Closed = true; return nil }}, nil
	}
	return &platformtest.Observer{PID: p.PID, Parent: p.Parent, Command: p.Name, Arguments: p.Arguments(), Open: open, Details: details,
		Users: &platform.IDs{Real: uint32(p.UID + 1), Effective: uint32(p.UID)}}
}

// KernelProcess checks what is told of an observer that is a process of the kernel: it has no
// program, and its threads are told. Nobody has a PID beyond 31 bits.
func KernelProcess(t *testing.T, i platform.Inspector) {
	t.Helper()
	p, err := i.Inspect(context.Background(), platform.Self)
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
		if _, err := i.Inspect(context.Background(), platform.Key{ID: pid}); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%d: %v", pid, err)
		}
	}
}

// AfterZombie checks that who has the PID of a zombie that was opened, and lives, is another.
func AfterZombie(t *testing.T, m *Inspected) {
	t.Helper()
	defer m.Close()
	who := m.World.Find(m.World.Self)
	who.State = Zombie
	p, err := m.Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Threads(); !errors.Is(err, platform.ErrZombie) {
		t.Error(err)
	}
	who.State = Sleeping
	if _, err := p.Threads(); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	if id, err := p.Identity(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%+v, %v", id, err)
	}
}

// DetailSources checks that every detail has a source, but for those that a kernel lacks.
func DetailSources(t *testing.T, details []platform.DetailSource, lacks ...string) {
	t.Helper()
	told := map[string]bool{}
	for _, d := range details {
		told[d.Detail] = len(d.Reads) > 0
	}
	for _, name := range questions() {
		if lack := slices.Contains(lacks, name); told[name] == lack {
			t.Errorf("%s: has a source: %v, want %v", name, told[name], !lack)
		}
	}
	for name := range told {
		if !slices.Contains(questions(), name) {
			t.Errorf("nobody asks for %s", name)
		}
	}
}
