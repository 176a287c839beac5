package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/pidometer/pidometer/platform"
)

// asService makes the test a service, by its first argument: a service gets no
// environment from whoever starts it.
const asService = "PIDOMETER_TEST_AS_SERVICE"

// obedient is a service that runs until it is told to stop, and ends with a code.
type obedient struct{}

const serviceCode = 42

func (obedient) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop}
	for r := range requests {
		if r.Cmd == svc.Stop {
			break
		}
		status <- r.CurrentStatus
	}
	status <- svc.Status{State: svc.StopPending}
	return true, serviceCode
}

// registered makes this test a service, which is gone after the test.
func registered(t *testing.T, name string, c mgr.Config) *mgr.Service {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Disconnect()
	s, err := m.CreateService(name, path, c, asService, "日本 語")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Control(svc.Stop)
		s.Delete()
		s.Close()
	})
	return s
}

// unique is a name that no other run has given to a service.
func unique(name string) string { return fmt.Sprintf("%s-%d", name, os.Getpid()) }

// A service is laid open as it was registered, in any case of its name and any writing,
// and with the process that it runs in.
func TestLiveServiceInfo(t *testing.T) {
	name := unique("Pidometer-Größe")
	s := registered(t, name, mgr.Config{StartType: mgr.StartManual, DisplayName: "Anzeige " + name, Description: "misst 測る"})
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	look := func() platform.ServiceInfo {
		t.Helper()
		info, err := b.(platform.ServiceInspector).Service(context.Background(), strings.ToLower(name))
		if err != nil || info.Err != nil {
			t.Fatalf("%+v, %v", info, err)
		}
		return info
	}
	info := look()
	if info.Name != name || info.DisplayName != "Anzeige "+name || *info.Description != "misst 測る" || *info.Start != platform.StartManual ||
		!strings.HasSuffix(*info.BinaryPath, asService+` "日本 語"`) || *info.Owner != "LocalSystem" || info.State != platform.ServiceIsStopped || info.Process.ID != 0 {
		t.Errorf("%s", shown(&info))
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "running", func() bool { info = look(); return info.State == platform.ServiceIsRunning })
	r := passOver(t, b, only)
	if _, lives := r.process(info.Process.ID); !lives || info.Process.Start == 0 {
		t.Errorf("it runs in %v", info.Process)
	}
	if _, err := b.(platform.ServiceInspector).Service(context.Background(), name+"?"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	all := got[[]platform.ServiceInfo](t)(b.(platform.ServiceInspector).Services(context.Background()))
	if len(all) < 2 {
		t.Errorf("%d services", len(all))
	}
}

// await waits until something is so, for a minute at most.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for begun := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("not %s within a minute", what)
		}
	}
}

// Changes of a service are heard of when they happen, with its PID and what it
// returned; and who has listened does not keep a service from being deleted.
func TestLiveWatch(t *testing.T) {
	name := unique("pidometer-watched")
	s := registered(t, name, mgr.Config{StartType: mgr.StartManual, DisplayName: name + " 測る"})
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	watch, err := b.(platform.Watcher).Watch(context.Background(), platform.WatchOptions{Kinds: platform.KindsOf(platform.ServiceChanged)})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	for _, tier := range watch.Tiers() {
		if tier.Err != nil {
			t.Errorf("%+v", tier)
		}
	}
	// until waits for a state, by what wakes the watch alone.
	until := func(state platform.ServiceState) (found platform.Occurrence) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for string(found.State) != state.String() {
			if err := watch.Wait(ctx); err != nil {
				t.Fatalf("not %v: %v", state, err)
			}
			if err := watch.Read(func(o *platform.Occurrence) {
				if o.Key.Name == name {
					found = *o
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		return found
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if o := until(platform.ServiceIsRunning); o.Key.ID == 0 || string(o.Title) != name+" 測る" || o.At.IsZero() {
		t.Errorf("%+v", o)
	}
	if _, err := s.Control(svc.Stop); err != nil {
		t.Fatal(err)
	}
	if o := until(platform.ServiceIsStopped); o.Exit != (platform.Exit{Known: true, Code: serviceCode}) {
		t.Errorf("%+v", o)
	}
	// Windows tells who listens that a service is being deleted, Wine 8.0 does not. The
	// end of the watch lets go of it either way.
	if err := errors.Join(s.Delete(), s.Close(), watch.Close()); err != nil {
		t.Fatal(err)
	}
	await(t, "deleted", func() bool {
		_, err := b.(platform.ServiceInspector).Service(context.Background(), name)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// The end of a process that is followed is told with its code, though its parent took
// note of it long ago.
func TestLiveFollow(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path)
	c.Env = append(os.Environ(), asChild+"=exit with 77")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	watch, err := b.(platform.Watcher).Watch(context.Background(), platform.WatchOptions{Kinds: platform.KindsOf(platform.ProcessExited)})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: uint64(c.Process.Pid)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := watch.Follow(p.Key()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	stdin.Close()
	c.Wait()
	told := 0
	if err := watch.Read(func(o *platform.Occurrence) {
		told++
		if o.Key != p.Key() || o.Exit != (platform.Exit{Known: true, Code: 77}) || o.At.Before(begun.Add(-time.Minute)) || o.At.After(time.Now().Add(time.Minute)) {
			t.Errorf("%+v", o)
		}
	}); err != nil || told != 1 {
		t.Errorf("%d ends, %v", told, err)
	}
}
