package simkernel

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// FlatPasses is how many passes a backend makes in [Flat].
const FlatPasses = 10_000

// Flat lets a backend read a world again and again while processes, sockets and devices come
// and go, inspects one of ten times, and measures what is kept in memory after a tenth of the
// passes and at the end: less than 4 bytes for each, where one object of the smallest size would
// be 8. Tables grow to the most processes there ever were: Windows' kept 32 KB more over 9,000
// passes, and 21 KB over 54,000 (2026-11-23). open tells how many descriptors the kernel has
// open, nil where there are none.
func Flat(t *testing.T, d Dialect, machine func(*World) (b platform.Backend, open func() int)) {
	t.Helper()
	w := New(1, 8)
	b, open := machine(w)
	h := &silent{}
	var early uint64
	descriptors := 0
	for pass := range FlatPasses {
		if pass == FlatPasses/10 {
			early = live()
			if open != nil {
				descriptors = open()
			}
		}
		if err := readAll(b, h); err != nil {
			t.Fatal(err)
		}
		if pass%10 == 0 {
			look(t, d, w, b)
		}
		w.Step()
	}
	late := live()
	t.Logf("%d passes, %d samples: %d bytes live after a tenth of them, %d at the end", FlatPasses, h.samples, early, late)
	if late > early+4*FlatPasses {
		t.Errorf("%d bytes more are live after %d passes", late-early, FlatPasses-FlatPasses/10)
	}
	if open != nil && open() != descriptors {
		t.Errorf("%d descriptors are open, and %d were", open(), descriptors)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(w)
}

// look opens a process and asks for its sockets.
func look(t *testing.T, d Dialect, w *World, b platform.Backend) {
	t.Helper()
	i, ok := b.(platform.Inspector)
	if !ok {
		return
	}
	p, err := i.Inspect(context.Background(), platform.Key{ID: w.Self, Start: d.Start(w, w.Find(w.Self))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Connections(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// live is how much memory is in use.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// silent counts samples and keeps nothing.
type silent struct{ samples int }

func (s *silent) Sample(*platform.Sample) bool { s.samples++; return true }
func (s *silent) Miss(int, platform.Reason)    {}

func readAll(b platform.Backend, s platform.Sink) error {
	r, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	if err := r.Read(All(b), s); err != nil {
		return err
	}
	return r.Close()
}
