package kqueue_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// machine is a queue's kernel with processes that a test names.
type machine struct {
	*simkernel.Queues
	living  map[uint64]sysctl.Known
	zombies map[uint64]uint64 // their status
	denied  uint64
	looks   int
	watches int
}

func newMachine(apart, zombies bool) *machine {
	m := &machine{living: map[uint64]sysctl.Known{}, zombies: map[uint64]uint64{}}
	for pid := uint64(1); pid <= 5; pid++ {
		m.run(pid, 1)
	}
	m.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(false, ""), Read: 0xffff, Proc: 0xfffb, Timer: 0xfff9,
		Apart: apart, Zombies: zombies, Find: func(pid uint64) (uint64, bool, bool, bool) {
			status, dead := m.zombies[pid]
			_, lives := m.living[pid]
			return status, dead || lives, dead, pid == m.denied
		}}
	return m
}

// run lets a process live.
func (m *machine) run(pid, parent uint64) platform.Key {
	key := platform.Key{ID: pid, Start: 1000 + pid}
	m.living[pid] = sysctl.Known{Key: key, Parent: parent, Command: []byte("sh")}
	return key
}

func (m *machine) who(pid uint64) (sysctl.Known, error) {
	m.looks++
	known, ok := m.living[pid]
	if !ok {
		return sysctl.Known{}, os.ErrProcessDone
	}
	return known, nil
}

// watcher watches a machine.
func (m *machine) watcher() *kqueue.Watcher {
	return &kqueue.Watcher{Kernel: m.Queues, Layout: &kqueue.OpenBSD, Errno: sysctl.BSD, Who: m.who, Source: kqueue.OpenBSD.Source("")}
}

var lives = []platform.OccurrenceKind{platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited}

func (m *machine) watch(t *testing.T, kinds ...platform.OccurrenceKind) platform.Watch {
	t.Helper()
	w, err := m.watcher().Watch(t.Context(), platform.WatchOptions{Kinds: platform.KindsOf(kinds...)})
	if err != nil {
		t.Fatal(err)
	}
	m.watches++
	t.Cleanup(func() {
		w.Close()
		if m.watches--; m.watches == 0 && m.Queues.Open != 0 {
			t.Errorf("%d queues are left open", m.Queues.Open)
		}
	})
	return w
}

// read reads once.
func read(t *testing.T, w platform.Watch) (all []platform.Occurrence) {
	t.Helper()
	if err := w.Read(func(o *platform.Occurrence) { all = append(all, *o) }); err != nil {
		t.Error(err)
	}
	return all
}

// fail lets a call fail so many times.
func (m *machine) fail(call string, errno, times int) {
	m.FailWith = func(name string) int {
		if name == call && times > 0 {
			times--
			return errno
		}
		return 0
	}
}

// A child that nobody asked for is followed from its first moment, and its end is told with
// its status; what it was called is asked for once.
func TestChildren(t *testing.T) {
	for _, apart := range []bool{true, false} {
		m := newMachine(apart, false)
		w := m.watch(t, lives...)
		if err := w.Follow(m.living[2].Key); err != nil {
			t.Fatal(err)
		}
		m.looks = 0
		child := m.run(7, 2)
		m.Forked(2, 7)
		all := read(t, w)
		if len(all) != 1 || all[0].Kind != platform.ProcessStarted || all[0].Key != child || all[0].Parent != 2 || string(all[0].Command) != "sh" || m.looks != 1 {
			t.Errorf("%+v, asked %d times", all, m.looks)
		}
		if err := w.Follow(child); err != nil || m.looks != 1 {
			t.Errorf("%v: one who is followed is followed again", err)
		}
		m.Executed(7)
		m.Exited(7, 3<<8)
		delete(m.living, 7)
		all = read(t, w)
		if len(all) != 2 || all[0].Kind != platform.ProcessExecuted || all[1].Key != child || all[1].Exit != (platform.Exit{Known: true, Code: 3}) {
			t.Errorf("%+v", all)
		}
		// One that began and ended between two reads.
		m.Forked(2, 8)
		m.Exited(8, 0x80|6)
		all = read(t, w)
		parent := uint64(0)
		if apart {
			parent = 2
		}
		if len(all) != 2 || all[0].Key != (platform.Key{ID: 8}) || all[0].Parent != parent || all[1].Exit != (platform.Exit{Known: true, Signal: 6, Core: true}) {
			t.Errorf("%+v", all)
		}
	}
}

// Only what is wanted is listened to.
func TestKinds(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, platform.ProcessExited)
	if err := w.Follow(m.living[2].Key); err != nil {
		t.Fatal(err)
	}
	m.Forked(2, 7)
	m.Executed(2)
	if all := read(t, w); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	w.Unfollow(m.living[2].Key)
	m.Exited(2, 0)
	if all := read(t, w); len(all) != 0 {
		t.Errorf("of one who is followed no more: %+v", all)
	}
	none := m.watch(t, platform.PressureCrossed)
	if len(none.Tiers()) != 0 || none.Follow(m.living[3].Key) != nil || len(read(t, none)) != 0 {
		t.Error("nothing was wanted")
	}
	none.Unfollow(m.living[3].Key)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := none.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Who is gone, is another, is a zombie or may not be watched is not followed, and says why.
func TestRefusals(t *testing.T) {
	m := newMachine(true, false)
	m.zombies[6], m.denied = 9, 4
	w := m.watch(t, lives...)
	for name, c := range map[string]struct {
		key  platform.Key
		want error
	}{
		"gone": {platform.Key{ID: 99, Start: 1}, os.ErrProcessDone}, "another": {platform.Key{ID: 2, Start: 1}, os.ErrProcessDone},
		"zombie": {platform.Key{ID: 6, Start: 1006}, os.ErrProcessDone}, "denied": {m.living[4].Key, fs.ErrPermission},
	} {
		if err := w.Follow(c.key); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.Exited(2, 0)
	if all := read(t, w); len(all) != 0 {
		t.Errorf("nobody is followed: %+v", all)
	}
}

// FreeBSD tells the end of a zombie as soon as it is followed.
func TestZombie(t *testing.T) {
	m := newMachine(true, true)
	key := m.living[3].Key
	m.zombies[3] = 5 << 8
	w := m.watch(t, lives...)
	if err := w.Follow(key); err != nil {
		t.Fatal(err)
	}
	if all := read(t, w); len(all) != 1 || all[0].Key != key || all[0].Exit.Code != 5 {
		t.Errorf("%+v", all)
	}
}

// A call that a signal cuts short is made again, a few times; want of memory is told, and
// changes nothing for others. Events that were not read are there the next time.
func TestErrors(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, lives...)
	m.fail("change", sysctl.BSD.Interrupted, 2)
	if err := w.Follow(m.living[2].Key); err != nil {
		t.Error(err)
	}
	m.fail("change", sysctl.BSD.Interrupted, 100)
	if err := w.Follow(m.living[3].Key); err == nil || errors.Is(err, os.ErrProcessDone) || m.Made["change"] > 20 {
		t.Errorf("%v after %d calls", err, m.Made["change"])
	}
	m.fail("change", sysctl.BSD.NoMemory, 1)
	if err := w.Follow(m.living[3].Key); err == nil || errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	m.FailWith = nil
	m.Exited(2, 0)
	for _, errno := range []int{sysctl.BSD.NoMemory, 0, 9} {
		m.FailWith = func(call string) int { return max(errno, 1) }
		if err := w.Read(func(*platform.Occurrence) { t.Error("told") }); err == nil {
			t.Error("nothing failed")
		}
	}
	m.fail("read", sysctl.BSD.Interrupted, 1)
	if all := read(t, w); len(all) != 1 {
		t.Errorf("%+v", all)
	}
}

// A queue that can't be made is told by its tier, and leaves nothing open.
func TestNoQueue(t *testing.T) {
	for call, errno := range map[string]int{"kqueue": 24, "change": sysctl.BSD.NoMemory} {
		m := newMachine(true, false)
		m.fail(call, errno, 1)
		w := m.watch(t, lives...)
		if tiers := w.Tiers(); len(tiers) != 1 || tiers[0].Err == nil || m.Queues.Open != 0 {
			t.Errorf("%s: %+v, %d open", call, tiers, m.Queues.Open)
		}
		if w.Follow(m.living[2].Key) != nil || len(read(t, w)) != 0 {
			t.Errorf("%s: something is followed", call)
		}
	}
	m := newMachine(true, false)
	b := m.watcher()
	b.Kernel = 7
	if _, err := b.Watch(t.Context(), platform.WatchOptions{Kinds: platform.KindsOf(lives...)}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.watcher().Watch(ctx, platform.WatchOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What cannot be followed from its first moment is a loss that is told.
func TestUntracked(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, lives...)
	if err := w.Follow(m.living[2].Key); err != nil {
		t.Fatal(err)
	}
	m.Untracked(2)
	if all := read(t, w); len(all) != 1 || all[0].Kind != platform.OccurrencesLost {
		t.Errorf("%+v", all)
	}
}

// A wait ends when there is something to read, which it does not take away, with its
// context, and with the watch; signals end none.
func TestWait(t *testing.T) {
	m := newMachine(true, false)
	waits := 0
	m.FailWith = func(call string) int { // every second wait is cut short
		if call != "wait" {
			return 0
		}
		if waits++; waits%2 == 1 {
			return sysctl.BSD.Interrupted
		}
		return 0
	}
	w := m.watch(t, lives...)
	if err := w.Follow(m.living[2].Key); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Wait(ctx) }()
		go cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	for range 20 {
		go m.Executed(2)
		for range 2 {
			if err := w.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if all := read(t, w); len(all) != 1 {
			t.Errorf("%+v", all)
		}
	}
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- w.Wait(t.Context()) }()
	}
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	for range 2 {
		if err := <-ended; !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	errs := []error{w.Wait(t.Context()), w.Read(nil), w.Follow(m.living[3].Key)}
	if slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, fs.ErrClosed) }) {
		t.Error(errs)
	}
}

// A wait ends with its context and with the watch though the kernel has no memory for the
// timer that ends it for a while.
func TestWaitWithoutMemory(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, lives...)
	m.fail("change", sysctl.BSD.NoMemory, 3)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Wait(ctx) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	go func() { ended <- w.Wait(t.Context()) }()
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	if err := <-ended; !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A wait that the kernel refuses is an error, and no loop.
func TestWaitFails(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, lives...)
	m.fail("wait", sysctl.BSD.NoMemory, 1)
	if err := w.Wait(t.Context()); err == nil || m.Made["wait"] != 1 {
		t.Error(err)
	}
}

// A storm of forks is read to its end by few calls, and asks for a bounded number of names.
func TestStorm(t *testing.T) {
	m := newMachine(true, false)
	w := m.watch(t, lives...)
	if err := w.Follow(m.living[2].Key); err != nil {
		t.Fatal(err)
	}
	m.looks = 0
	before := m.Made["read"]
	const many = 1000
	for pid := range uint64(many) {
		m.run(100+pid, 2)
		m.Forked(2, 100+pid)
	}
	if all := read(t, w); len(all) != many || m.looks != 256 || m.Made["read"]-before > many/64+2 {
		t.Errorf("%d told, %d asked, %d calls", len(all), m.looks, m.Made["read"]-before)
	}
}
