package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

func TestMemoryMaps(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		maps := got[[]platform.MemoryMap](t)(inspected(t, w, 612).MemoryMaps())
		want := []string{`10000-12000 r-xp C:\a.exe 8192 4096`, `12000-13000 rw-p C:\a.exe 4096 4096`, "13000-15000 rw-p  4096 4096",
			"15000-16000 rw-s  4096 0", `16000-17000 r--s \\server\share\b 0 0`}
		if len(maps) != len(want) {
			t.Fatalf("%+v", maps)
		}
		for i, m := range maps {
			line := fmt.Sprintf("%x-%x %s %s %d %d", m.Start, m.End, m.Permissions, m.Path, m.Use.RSS, m.Use.USS())
			if line != want[i] || !m.Use.Coarse || m.Use.RSS != m.Use.PrivateDirty+m.Use.SharedDirty {
				t.Errorf("%s %+v, want %s", line, *m.Use, want[i])
			}
		}
		if groups := platform.GroupMaps(maps); groups[0].Path != `C:\a.exe` || groups[0].Use.RSS != 12288 || !groups[0].Use.Coarse {
			t.Errorf("%+v", groups)
		}
	}
}

// What is not told of a mapping is left out, and costs nothing else.
func TestMemoryMapsInPart(t *testing.T) {
	w := newWorld(8)
	w.fail["WorkingSet"], w.fail["Drives"] = errAbsent, errRefused
	maps := got[[]platform.MemoryMap](t)(inspected(t, w, 612).MemoryMaps())
	if len(maps) != 5 || maps[0].Use != nil || maps[0].Path != `\Device\HarddiskVolumeC\a.exe` {
		t.Errorf("%+v", maps)
	}
	if calls, _ := w.counts(); calls["WorkingSet"] != 1 {
		t.Errorf("asked %d times what nobody tells", calls["WorkingSet"])
	}
	for call, err := range map[string]error{"Region": fs.ErrPermission, "Open": errAbsent} {
		w := newWorld(8)
		p := inspected(t, w, 612)
		w.fail[call] = err
		if maps, got := p.MemoryMaps(); !errors.Is(got, err) || maps != nil {
			t.Errorf("%s: %v, %v", call, maps, got)
		}
	}
}

// A process that ends while it is walked has no mappings, whatever they seemed to be.
func TestMemoryOfOneThatEnds(t *testing.T) {
	w := newWorld(8)
	p := inspected(t, w, 612)
	w.atRegion = func() { w.tasks[3].ended = true }
	if maps, err := p.MemoryMaps(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%v, %v", maps, err)
	}
	w = newWorld(8)
	b := opened(t, w)
	w.atRegion = func() { w.tasks[3].ended = true }
	r := passOver(t, b, 1<<fromUnique)
	s, _ := r.process(612)
	expect(t, "it", s, map[platform.Field]uint64{platform.ProcessMemoryUSS: absent})
	if r.misses[fromUnique][platform.Gone] != 1 {
		t.Errorf("missed %v", r.misses)
	}
}

func TestUnique(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		w.tasks[1].denied = true
		r := passOver(t, opened(t, w), 1<<fromUnique)
		s, _ := r.process(612)
		expect(t, "a service", s, map[platform.Field]uint64{platform.ProcessMemoryUSS: 3 * pageSize})
		if r.misses[fromUnique][platform.Denied] != 1 {
			t.Errorf("missed %v", r.misses)
		}
	}
}

// A pass spends no more on it than it may, and nothing on what is too large.
func TestUniqueIsRationed(t *testing.T) {
	w := newWorld(8)
	w.dear = second / 2
	b, err := New(Options{Kernel: w, MapsBudget: time.Second, MapsCeiling: 9 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := passOver(t, b, 1<<fromUnique)
	if calls, _ := w.counts(); calls["WorkingSet"] != 2 || r.misses[fromUnique][platform.Skipped] != 4 {
		t.Errorf("%v, missed %v", calls, r.misses)
	}
	w.dear = 0
	r = passOver(t, b, 1<<fromUnique)
	if r.misses[fromUnique][platform.Skipped] != 2 { // two have a working set of 10 MiB
		t.Errorf("missed %v", r.misses)
	}
}

func TestWaitProcess(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		waiter := opened(t, w).(platform.Waiter)
		w.tasks[3].exit = 0xc0000005
		over := make(chan platform.Exit)
		go func() {
			exit, err := waiter.WaitProcess(context.Background(), platform.Key{ID: 612, Start: w.tasks[3].create - unixEpoch})
			if err != nil {
				t.Error(err)
			}
			over <- exit
		}()
		close(w.tasks[3].exited)
		if exit := <-over; !exit.Known || exit.Code != 0xc0000005 || !exit.Failed() {
			t.Errorf("%+v", exit)
		}
		w.tasks[4].ended = true
		if exit, err := waiter.WaitProcess(context.Background(), platform.Key{ID: 4711}); err != nil || !exit.Known || exit.Failed() {
			t.Errorf("one that has ended already: %+v, %v", exit, err)
		}
	}
}

// Whoever does not want to wait any more leaves nothing behind: every handle is closed.
func TestWaitProcessStops(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	waiter := b.(platform.Waiter)
	ctx, cancel := context.WithCancel(context.Background())
	w.atWait = cancel
	if _, err := waiter.WaitProcess(ctx, platform.Key{ID: 612}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if calls, _ := w.counts(); calls["Signal"] != 1 || calls["Wait"] != 1 || len(w.open) != 0 {
		t.Errorf("%v, %d handles are open", calls, len(w.open))
	}
	if _, err := waiter.WaitProcess(ctx, platform.Key{ID: 612}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if calls, _ := w.counts(); len(calls) != 0 {
		t.Errorf("it was asked for nobody: %v", calls)
	}
}

func TestWaitForNobody(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	waiter := b.(platform.Waiter)
	ctx := context.Background()
	for what, key := range map[string]platform.Key{"nobody": {ID: 77777}, "another": {ID: 612, Start: 1}} {
		if _, err := waiter.WaitProcess(ctx, key); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, call := range []string{"Open", "Process", "Event", "Wait"} {
		w.fail = map[string]error{call: fs.ErrPermission}
		if _, err := waiter.WaitProcess(ctx, platform.Key{ID: 612}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", call, err)
		}
	}
}
