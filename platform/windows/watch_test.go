package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func watching(t *testing.T, w *world) platform.Watch {
	t.Helper()
	watch, err := opened(t, w).(platform.Watcher).Watch(context.Background(), platform.WatchOptions{Kinds: platform.KindsOf(platform.ServiceChanged)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Close() })
	return watch
}

// heard reads what happened, a line for each.
func heard(t *testing.T, watch platform.Watch) string {
	t.Helper()
	var lines []string
	if err := watch.Read(func(o *platform.Occurrence) {
		if o.Kind != platform.ServiceChanged {
			t.Errorf("%v", o.Kind)
		}
		line := fmt.Sprintf("%s (%s) %d: %s, %s", o.Key.Name, o.Title, o.Key.ID, o.Before, o.State)
		if o.Exit.Known {
			line += fmt.Sprint(" ", o.Exit.Code)
		}
		if o.At.IsZero() {
			line += " by the list"
		}
		lines = append(lines, line)
	}); err != nil {
		t.Error(err)
	}
	return strings.Join(lines, "; ")
}

const (
	stopped, startPending, stopPending, running = 1, 2, 3, 4
	ofLog                                       = "EventLog (Windows Ereignisprotokoll Ā) "
)

// Every state of a service that is followed is told, short ones too, with the exit code
// of a stop; and nothing is told twice by the list.
func TestWatchNotices(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	for _, tier := range watch.Tiers() {
		if tier.Err != nil || tier.Spared {
			t.Errorf("%+v", tier)
		}
	}
	if all := heard(t, watch); all != "" {
		t.Errorf("at first: %s", all)
	}
	w.become(0, stopPending, 612, false)
	if err := watch.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	w.scm.services[0].exit = 5
	w.become(0, stopped, 0, false)
	w.become(0, startPending, 700, false)
	w.become(0, running, 700, false)
	want := ofLog + "612: running, stop_pending; " + ofLog + "0: stop_pending, stopped 5; " + ofLog + "700: stopped, start_pending; " + ofLog + "700: start_pending, running"
	for range 3 {
		if all := heard(t, watch); all != want {
			t.Errorf("%s; want %s", all, want)
		}
		want = ""
		w.now += 5 * second
	}
}

// A restart between two notifications is seen by the PID. A service's own exit code is
// told in place of the error that says that there is one; one that never ran has none.
func TestWatchExits(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	w.become(0, running, 613, false)
	s := &w.scm.services[0]
	s.exit, s.specific = errorSpecific, 42
	w.become(0, stopped, 0, false)
	s.exit = errorNeverStarted
	w.become(0, startPending, 0, false)
	w.become(0, stopped, 0, false)
	want := ofLog + "613: running, running; " + ofLog + "0: running, stopped 42; " + ofLog + "0: stopped, start_pending; " + ofLog + "0: start_pending, stopped"
	if all := heard(t, watch); all != want {
		t.Errorf("%s; want %s", all, want)
	}
}

// A change whose notification never comes is told by the second list that has it.
func TestWatchLostNotice(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	w.become(0, stopped, 0, true)
	for i, want := range []string{"", "", ofLog + "0: running, stopped 0 by the list", ""} {
		if all := heard(t, watch); all != want {
			t.Errorf("read %d: %s; want %s", i, all, want)
		}
		w.now += second
	}
	w.become(0, running, 9, true)
	w.now += second
	heard(t, watch)
	w.become(0, running, 9, false) // it was late
	if all := heard(t, watch); all != ofLog+"9: stopped, running" {
		t.Error(all)
	}
}

// Where notifications are refused the list tells what it can, at each read.
func TestWatchByList(t *testing.T) {
	for what, change := range map[string]func(*world){
		"missing": func(w *world) { w.fail["Notify"] = errors.ErrUnsupported },
		"refused": func(w *world) { w.fail["Follow"] = fs.ErrPermission },
		"deaf":    func(w *world) { w.scm.services[0].deaf, w.scm.services[1].deaf = true, true },
	} {
		w := newWorld(8)
		change(w)
		watch := watching(t, w)
		if tiers := watch.Tiers(); tiers[byNotice].Err == nil || tiers[byList].Err != nil {
			t.Errorf("%s: %+v", what, tiers)
		}
		w.become(0, stopped, 0, false)
		w.become(1, running, 8, false)
		want := ofLog + "0: running, stopped 0 by the list; x\xed\xa0\xbd () 8: stopped, running by the list"
		w.now += second
		if all := heard(t, watch); all != want {
			t.Errorf("%s: %s; want %s", what, all, want)
		}
	}
}

// A new service is found, followed, and let go when it is being deleted.
func TestWatchNewService(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	w.scm.services = append(w.scm.services, managed{name: wide("new"), state: stopped}, managed{name: wide("newer"), state: running, pid: 5, deaf: true})
	w.now += second
	if all := heard(t, watch); all != "newer () 5: stopped, running by the list" {
		t.Error(all)
	}
	w.become(2, startPending, 0, false)
	if all := heard(t, watch); all != "new () 0: stopped, start_pending" {
		t.Error(all)
	}
	w.scm.tell(ServiceNotice{Name: "new", Err: fs.ErrNotExist})
	w.scm.tell(ServiceNotice{Name: "nobody", Err: fs.ErrNotExist})
	w.counts()
	w.become(2, stopped, 0, true)
	w.now += second
	if all := heard(t, watch); all != "new () 0: start_pending, stopped 0 by the list" {
		t.Error(all)
	}
	w.scm.services = w.scm.services[:2]
	w.now += second
	if all := heard(t, watch); all != "" {
		t.Error(all)
	}
	if calls, _ := w.counts(); calls["Follow"] != 0 || calls["Services"] != 2 {
		t.Errorf("%v", calls)
	}
}

// One who lags behind is told of as soon as the list has it, and followed again.
func TestWatchLagging(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	w.scm.tell(ServiceNotice{Name: "EventLog", Err: errContent})
	w.become(0, stopped, 0, true)
	w.now += second
	w.counts()
	if all := heard(t, watch); all != ofLog+"0: running, stopped 0 by the list" {
		t.Error(all)
	}
	if calls, _ := w.counts(); calls["Follow"] != 1 {
		t.Errorf("%v", calls)
	}
}

// A list that fails costs that read, and changes nothing that is known.
func TestWatchFaults(t *testing.T) {
	w := newWorld(8)
	watch := watching(t, w)
	w.fail["Services"] = fs.ErrPermission
	w.now += second
	if err := watch.Read(func(*platform.Occurrence) {}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	delete(w.fail, "Services")
	w.scm.tell(ServiceNotice{Name: "EventLog", Status: []byte("short")})
	if all := heard(t, watch); all != "" {
		t.Error(all)
	}
	w.fail["Services"], w.fail["Notify"] = fs.ErrPermission, fs.ErrPermission
	if tiers := watching(t, w).Tiers(); tiers[byNotice].Err == nil || tiers[byList].Err == nil {
		t.Errorf("%+v", tiers)
	}
}

// A Wait ends with its context and with the watch, which nothing can be read from then.
func TestWatchEnds(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w).(platform.Watcher)
	watch := watching(t, w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for watch.Wait(context.Background()) == nil { // what a service does first
		heard(t, watch)
		break
	}
	if err := watch.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ended := make(chan error)
	go func() { ended <- watch.Wait(context.Background()) }()
	if err := errors.Join(watch.Close(), watch.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if err := watch.Read(nil); !errors.Is(err, fs.ErrClosed) || w.scm.tell != nil {
		t.Error(err)
	}
	none, err := b.Watch(context.Background(), platform.WatchOptions{})
	if err != nil || len(none.Tiers()) != 0 || none.Read(nil) != nil || none.Follow(platform.Key{}) != nil {
		t.Errorf("%v, %v", none, err)
	}
	none.Unfollow(platform.Key{})
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.Watch(ctx, platform.WatchOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A process that is followed tells when and how it ended, even if it is gone for
// everybody else; one that is not is let go.
func TestWatchEndsOfProcesses(t *testing.T) {
	w := newWorld(8)
	watch, err := opened(t, w).(platform.Watcher).Watch(context.Background(), platform.WatchOptions{Kinds: platform.KindsOf(platform.ProcessExited)})
	if err != nil || len(watch.Tiers()) != 1 || !watch.Tiers()[0].Source.Followed {
		t.Fatalf("%v, %v", watch.Tiers(), err)
	}
	key := platform.Key{ID: 612, Start: w.tasks[3].create - unixEpoch}
	other := platform.Key{ID: 4711, Start: w.tasks[4].create - unixEpoch}
	if err := errors.Join(watch.Follow(key), watch.Follow(key), watch.Follow(other)); err != nil || len(w.open) != 2 {
		t.Errorf("%v, %d are open", err, len(w.open))
	}
	for _, gone := range []platform.Key{{ID: 99}, {ID: 612, Start: 1}} {
		if err := watch.Follow(gone); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%v: %v", gone, err)
		}
	}
	var all []platform.Occurrence
	read := func() {
		t.Helper()
		if err := watch.Read(func(o *platform.Occurrence) { all = append(all, *o) }); err != nil {
			t.Error(err)
		}
	}
	read()
	w.tasks[3].ended, w.tasks[3].exit = true, 0xc0000005
	watch.Unfollow(other)
	read()
	read()
	if len(all) != 1 || all[0].Key != key || all[0].Exit != (platform.Exit{Known: true, Code: 0xc0000005}) || !all[0].At.Equal(timeOf(w.now)) {
		t.Errorf("%+v", all)
	}
	if err := watch.Follow(other); err != nil || len(w.open) != 1 {
		t.Errorf("%v, %d are open", err, len(w.open))
	}
	w.fail["Process"] = errContent
	if read(); len(w.open) != 0 || len(all) != 1 {
		t.Errorf("%d are open, %v", len(w.open), all)
	}
	if err := watch.Follow(other); !errors.Is(err, errContent) || len(w.open) != 0 {
		t.Errorf("%v, %d are open", err, len(w.open))
	}
	delete(w.fail, "Process")
	if err := errors.Join(watch.Follow(other), watch.Close()); err != nil || len(w.open) != 0 {
		t.Errorf("%v, %d are open", err, len(w.open))
	}
	if err := watch.Follow(other); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}
