package linux

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

// longWait is how long a test waits for what has to come. Only a defect makes it wait.
const longWait = 2 * time.Minute

// watching watches a view for some kinds.
func watching(t *testing.T, b platform.Watcher, kinds ...platform.OccurrenceKind) platform.Watch {
	t.Helper()
	w, err := b.Watch(t.Context(), platform.WatchOptions{Kinds: platform.KindsOf(kinds...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// hear reads a watch each time that it has something, until one of what it tells is
// wanted. It returns all of it, that one last.
func hear(t *testing.T, w platform.Watch, wanted func(heard) bool) (all []heard) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longWait)
	defer cancel()
	for {
		if err := w.Wait(ctx); err != nil {
			t.Fatalf("%v; heard so far: %+v", err, all)
		}
		err := w.Read(func(o *platform.Occurrence) { all = append(all, keep(o)) })
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(all, wanted); i >= 0 {
			return all[:i+1]
		}
	}
}

// tierOf returns what became of a source.
func tierOf(t *testing.T, w platform.Watch, name string) platform.Tier {
	t.Helper()
	for _, tier := range w.Tiers() {
		if tier.Source.Name == name {
			return tier
		}
	}
	t.Fatalf("%s is in no tier", name)
	return platform.Tier{}
}

// Waiting ends with the context, with the watch, and once there is something.
func TestLiveWait(t *testing.T) {
	w := watching(t, machine(t))
	ctx, cancel := context.WithCancel(t.Context())
	for range 100 { // before, while and after it waits
		go cancel()
		if err := w.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
	}
	defer cancel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	l := &pipe{read: read}
	if err := w.(*watch).listen(int(read.Fd()), ToRead, l); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		go write.Write([]byte{1})
		if err := w.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(ctx); err != nil { // it is ready until it was read
			t.Fatal(err)
		}
		if err := w.Read(func(*platform.Occurrence) {}); err != nil || l.drained != 1 {
			t.Fatalf("%v, drained %d times", err, l.drained)
		}
		l.drained = 0
	}
	go w.Close()
	if err := w.Wait(ctx); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a watch that is closed: %v", err)
	}
	if err := w.Wait(ctx); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a watch that was closed: %v", err)
	}
}

// pipe counts how often it is drained.
type pipe struct {
	read    *os.File
	drained int
}

func (p *pipe) drain(bool, func(*platform.Occurrence)) error {
	p.drained++
	_, err := p.read.Read(make([]byte, 1))
	return err
}
func (p *pipe) close() {}

// Many who wait take no thread of the system.
func TestLiveWaitTakesNoThread(t *testing.T) {
	const many = 64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, many)
	before := threadsOfSelf(t)
	for range many {
		w := watching(t, machine(t))
		go func() { ended <- w.Wait(ctx) }()
	}
	if n := threadsOfSelf(t) - before; n >= many/2 {
		t.Errorf("%d who wait take %d threads", many, n)
	}
	cancel()
	for range many {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func threadsOfSelf(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// Two who want one CPU let each other wait, which crosses a low threshold.
func TestLivePressure(t *testing.T) {
	w := watching(t, machine(t)).(*watch)
	w.mu.Lock()
	l, err := w.openStalls([]psiStall{{"cpu", false, 20 * time.Millisecond}})
	w.mu.Unlock()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.listeners = append(w.listeners, l)
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	for range 2 {
		burner := exec.Command("sh", "-c", "while :; do :; done")
		if err := burner.Start(); err != nil {
			t.Fatal(err)
		}
		defer burner.Wait()
		defer burner.Process.Kill()
		if err := unix.SchedSetaffinity(burner.Process.Pid, &one); err != nil {
			t.Fatal(err)
		}
	}
	heard := hear(t, platform.Watch(w), func(h heard) bool { return h.Kind == platform.PressureCrossed })
	if got := heard[0].Stall; got != (platform.Stall{Resource: "cpu", Waited: 20 * time.Millisecond, Window: psiWindow}) {
		t.Errorf("%+v", got)
	}
}
