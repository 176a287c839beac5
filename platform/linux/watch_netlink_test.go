package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// lifeKernel is a [watchKernel] that tells of processes too: what its sockets hear, and
// how its processes end, is a script.
type lifeKernel struct {
	*watchKernel
	heard     map[int][]any     // by protocol: datagrams, and errors
	protocols map[int]int       // by descriptor
	ended     map[uint64]uint32 // by PID: the status of those that were waited for
	pids      map[int]uint64    // by descriptor
	folders   map[int]string    // of proc that are open
	silent    bool              // the kernel answers nothing
	refuses   uint32            // the errno that it answers
	namespace string
	elsewhere error  // what a message to the connector fails with
	version   uint16 // of the records
}

const testFamily = 30

func newLifeKernel(t *testing.T) *lifeKernel {
	k := &lifeKernel{watchKernel: readyKernel(t), heard: map[int][]any{}, protocols: map[int]int{}, ended: map[uint64]uint32{},
		pids: map[int]uint64{}, folders: map[int]string{}, namespace: initialPID, version: leastVersion}
	if err := os.WriteFile(filepath.Join(k.root, "proc/5392/status"), []byte("Name:\ta\nTgid:\t5392\nPid:\t5392\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *lifeKernel) ReadLink(_ int, path, buf []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	if k.name(path) != "ns/pid" && k.name(path) != "self/ns/pid" {
		return -1, fs.ErrNotExist
	}
	return copy(buf, k.namespace), nil
}

// OpenDir opens a folder of proc, which the tree beneath knows by its whole path only.
func (k *lifeKernel) OpenDir(_ int, path []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	fd := k.script("folder")
	k.folders[fd] = "proc/" + k.name(path) + "/"
	return fd, nil
}

func (k *lifeKernel) Open(dir int, path []byte) (int, error) {
	return k.watchKernel.Open(dir, append([]byte(k.folders[dir]), path...))
}

func (k *lifeKernel) Listen(protocol int, _ uint32, _ int) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	fd := k.script("socket")
	k.protocols[fd] = protocol
	return fd, nil
}

func (k *lifeKernel) Attach(int, []Instruction) error { return k.call() }

// Write lets the kernel answer.
func (k *lifeKernel) Write(fd int, b []byte) error {
	protocol, socket := k.protocols[fd]
	if !socket {
		return k.watchKernel.Write(fd, b)
	}
	if err := k.call(); err != nil || k.silent {
		return err
	}
	answer := func(b []byte) { k.heard[protocol] = append(k.heard[protocol], b) }
	if protocol == protocolConnector {
		if b[netlinkHeader+connectorIndex] != connectorProc {
			return k.elsewhere
		}
		answer(connectorRecord(eventNone, 0, k.refuses))
		return k.elsewhere
	}
	switch {
	case binary.NativeEndian.Uint16(b[netlinkType:]) == genericControl:
		answer(datagram(genericControl, append([]byte{1, 1, 0, 0}, netlinkAttribute(controlFamilyID, []byte{testFamily, 0})...)))
	case b[netlinkHeader+genericHeader+attributeType] == taskstatsPID:
		answer(datagram(testFamily, statsRecord(k.version, 400, false, 1, nil)))
	}
	answer(datagram(netlinkError, binary.NativeEndian.AppendUint32(nil, -k.refuses)))
	return nil
}

// datagram is one netlink message.
func datagram(kind uint16, payload []byte) []byte {
	b := make([]byte, netlinkHeader, netlinkHeader+len(payload))
	binary.NativeEndian.PutUint32(b, uint32(netlinkHeader+len(payload)))
	binary.NativeEndian.PutUint16(b[netlinkType:], kind)
	return append(b, payload...)
}

func (k *lifeKernel) Hear(fd int, buf []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	left := k.heard[k.protocols[fd]]
	if len(left) == 0 {
		return 0, errEmpty
	}
	k.heard[k.protocols[fd]] = left[1:]
	if err, ok := left[0].(error); ok {
		return 0, err
	}
	return copy(buf, left[0].([]byte)), nil
}

func (k *lifeKernel) Monotonic() int64 { return 5e9 }

// Exists says yes: the file of the process tells more.
func (k *lifeKernel) Exists(uint64) bool { return true }

func (k *lifeKernel) OpenProcess(pid uint64) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	fd := k.script("pidfd")
	k.pids[fd] = pid
	return fd, nil
}

func (k *lifeKernel) ProcessInfo(fd int, buf []byte) error {
	if err := k.call(); err != nil {
		return err
	}
	if status, ok := k.ended[k.pids[fd]]; ok {
		binary.NativeEndian.PutUint64(buf[infoMask:], infoExit)
		binary.NativeEndian.PutUint32(buf[infoExitCode:], status)
	} else {
		binary.NativeEndian.PutUint64(buf[infoMask:], 1)
	}
	return nil
}

func (k *lifeKernel) ChildStatus(int) (platform.Exit, bool, error) {
	return platform.Exit{}, false, k.call()
}

func (k *lifeKernel) Await(context.Context, int, bool) error { return k.call() }

// watchLives opens a watch on the lives of processes.
func watchLives(k *lifeKernel, kinds ...platform.OccurrenceKind) (*watch, error) {
	b := treeBackend(k.treeKernel, Options{Root: "/"})
	b.kernel, b.proc, b.live = k, treeProc, true
	b.details = newDetails(b)
	w, err := b.Watch(context.Background(), wanting(kinds...))
	if err != nil {
		return nil, err
	}
	return w.(*watch), nil
}

// lived are the kinds that tell of the lives of processes.
var lived = []platform.OccurrenceKind{platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited, platform.ProcessAccounted}

// What the two sockets hear becomes occurrences, and what is lost is told.
func TestWatchLives(t *testing.T) {
	k := newLifeKernel(t)
	k.clock = 7e9 // asleep for two seconds
	w, err := watchLives(k, lived...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range w.Tiers() {
		if tier.Err != nil || tier.Spared != (tier.Source.Name == "pidfd") {
			t.Fatalf("%s: %v", tier.Source.Name, tier.Err)
		}
	}
	k.heard[protocolConnector] = []any{connectorRecord(eventFork, 4e9, 1, 2, 7, 7), connectorRecord(eventExec, 4e9, 7, 7), errOverrun,
		connectorRecord(eventExit, 45e8, 7, 7, 139, 17, 1, 2)}
	k.heard[protocolGeneric] = []any{datagram(testFamily, statsRecord(15, 400, true, 7, map[int]uint64{statsRunVirtual: 50e6})), errOverrun}
	k.polls[0].all(false)
	var kinds []platform.OccurrenceKind
	err = w.Read(func(o *platform.Occurrence) {
		kinds = append(kinds, o.Kind)
		switch o.Kind {
		case platform.ProcessStarted:
			if o.Key != (platform.Key{ID: 7, Start: 600}) || !o.Estimated || o.Parent != 2 || o.At.UnixNano() != 1e15-1e9 {
				t.Errorf("%+v", o)
			}
		case platform.ProcessExited:
			if o.Exit != (platform.Exit{Known: true, Signal: 11, Core: true}) {
				t.Errorf("%+v", o)
			}
		case platform.ProcessAccounted:
			if v, _ := o.Usage.Get(platform.ProcessCPUUser); v != 50e6 || string(o.Command) != "worker" {
				t.Errorf("%+v", o)
			}
		}
	})
	slices.Sort(kinds)
	if want := []platform.OccurrenceKind{0, 1, 2, 3, platform.OccurrencesLost, platform.OccurrencesLost}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("%v %v, want %v", err, kinds, want)
	}
	if err := w.Close(); err != nil || k.leaked() != 0 {
		t.Errorf("%v, %d descriptors are open", err, k.leaked())
	}
}

// What the kernel refuses is told with the reason, and leaves nothing open: the pidfds
// take over what they can.
func TestLivesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*lifeKernel)
		want   error
	}{
		"another namespace": {func(k *lifeKernel) { k.namespace = "pid:[4026532000]" }, errors.ErrUnsupported},
		"no privilege":      {func(k *lifeKernel) { k.refuses = 1 }, fs.ErrPermission},
		"no answer":         {func(k *lifeKernel) { k.silent = true }, errors.ErrUnsupported},
		"another network":   {func(k *lifeKernel) { k.elsewhere = syscall.ECONNREFUSED }, errors.ErrUnsupported},
	} {
		k := newLifeKernel(t)
		c.change(k)
		w, err := watchLives(k, lived...)
		if err != nil {
			t.Fatal(err)
		}
		for _, tier := range w.Tiers() {
			if tier.Source.Followed != (tier.Err == nil) || tier.Spared || tier.Err != nil && !errors.Is(tier.Err, c.want) {
				t.Errorf("%s: %s: %v", name, tier.Source.Name, tier.Err)
			}
		}
		if err := w.Close(); err != nil || k.leaked() != 0 {
			t.Errorf("%s: %v, %d descriptors are open", name, err, k.leaked())
		}
	}
}

// Each call may fail: the watch goes on with what is left, and closes all of it.
func TestLivesFail(t *testing.T) {
	fault := errors.New("failed")
	for at := 1; ; at++ {
		k := newLifeKernel(t)
		k.failAt, k.fault = at, fault
		w, err := watchLives(k, lived...)
		if err == nil {
			k.heard[protocolConnector] = append(k.heard[protocolConnector], connectorRecord(eventExec, 1, 7, 7))
			k.heard[protocolGeneric] = append(k.heard[protocolGeneric], datagram(testFamily, statsRecord(15, 400, true, 7, nil)))
			k.polls[0].all(false)
			if err := w.Read(func(*platform.Occurrence) {}); err != nil && !errors.Is(err, fault) {
				t.Errorf("call %d: %v", at, err)
			}
			w.Read(func(*platform.Occurrence) {})
			w.Close()
		} else if !errors.Is(err, fault) {
			t.Errorf("call %d: %v", at, err)
		}
		if k.leaked() != 0 {
			t.Errorf("call %d leaves %d descriptors open", at, k.leaked())
		}
		if k.calls < at {
			t.Logf("%d calls failed, one at a time", at-1)
			return
		}
	}
}

// A process that is followed tells its end once, and only while it is followed.
func TestFollowed(t *testing.T) {
	k := newLifeKernel(t)
	k.refuses = 1
	w, err := watchLives(k, platform.ProcessExited)
	if err != nil {
		t.Fatal(err)
	}
	b, key := w.backend, platform.Key{ID: 5392, Start: 777}
	if err := w.Follow(platform.Key{ID: 5392, Start: 778}); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("another's start: %v", err)
	}
	if err := w.Follow(key); err != nil {
		t.Fatal(err)
	}
	read := func() (told []platform.Occurrence) {
		k.polls[0].all(false)
		if err := w.Read(func(o *platform.Occurrence) { told = append(told, *o) }); err != nil {
			t.Fatal(err)
		}
		return told
	}
	if told := read(); len(told) != 0 {
		t.Errorf("a process that runs: %+v", told)
	}
	k.ended[5392] = 3 << 8
	if told := read(); len(told) != 1 || told[0].Key != key || told[0].Exit != (platform.Exit{Known: true, Code: 3}) {
		t.Errorf("%+v", told)
	}
	if told := read(); len(told) != 0 {
		t.Errorf("told twice: %+v", told)
	}
	if err := w.Follow(key); err != nil {
		t.Fatal(err)
	}
	w.Unfollow(key)
	if told := read(); len(told) != 0 {
		t.Errorf("nobody follows it: %+v", told)
	}
	if exit, err := b.WaitProcess(t.Context(), key); err != nil || exit != (platform.Exit{Known: true, Code: 3}) {
		t.Errorf("%+v, %v", exit, err)
	}
	if err := w.Close(); err != nil || k.leaked() != 0 {
		t.Errorf("%v, %d descriptors are open", err, k.leaked())
	}
}

// The end of a first thread is that of its process unless what follows it, or whoever
// has the PID, says otherwise.
func TestFirstThreadsEnd(t *testing.T) {
	stat := func(state string, threads, start int) string {
		return fmt.Sprintf("5392 (a) %s 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 %d 0 %d 0 0\n", state, threads, start)
	}
	zero := connectorRecord(eventExit, 45e8, 5392, 5392, 0, 17, 1, 1) // in tick 650
	three := connectorRecord(eventExit, 46e8, 5392, 5392, 3<<8, 17, 1, 1)
	exec, fork := connectorRecord(eventExec, 45e8, 5392, 5392), connectorRecord(eventFork, 45e8, 1, 1, 5392, 5392)
	for name, c := range map[string]struct {
		stat  string // "" is gone
		heard []any
		want  []int64 // the codes that are told
		later bool    // its end is waited for
	}{
		"gone":                      {"", []any{zero}, []int64{0}, false},
		"a zombie":                  {stat("Z", 1, 100), []any{zero}, []int64{0}, false},
		"dead":                      {stat("X", 0, 100), []any{zero}, []int64{0}, false},
		"other threads live on":     {stat("Z", 2, 100), []any{zero}, nil, true},
		"another program runs":      {stat("S", 1, 100), []any{zero}, nil, false},
		"another process runs":      {stat("S", 1, 651), []any{zero}, []int64{0}, false},
		"a code is that of all":     {stat("Z", 2, 100), []any{three}, []int64{3}, false},
		"another thread's program":  {"", []any{zero, exec, three}, []int64{3}, false},
		"it has not been executed":  {"", []any{zero, three}, []int64{3}, false},
		"another process in a read": {"", []any{zero, fork, exec, three}, []int64{0, 3}, false},
		"its beginning may be lost": {"", []any{zero, errOverrun, three}, []int64{0, 3}, false},
	} {
		k := newLifeKernel(t)
		k.clock = 7e9
		if err := os.Remove(filepath.Join(k.root, "proc/5392/stat")); err != nil {
			t.Fatal(err)
		}
		if c.stat != "" {
			if err := os.WriteFile(filepath.Join(k.root, "proc/5392/stat"), []byte(c.stat), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		w, err := watchLives(k, lived[:3]...)
		if err != nil {
			t.Fatal(err)
		}
		told := readCodes(t, k, w, c.heard...)
		awaited := w.listeners[0].(*connector).outlived.open[5392] != nil
		if !slices.Equal(told, c.want) || awaited != c.later {
			t.Errorf("%s: %v, %v, want %v, %v", name, told, awaited, c.want, c.later)
		}
		if c.later {
			k.ended[5392] = 4 << 8
			if told := readCodes(t, k, w); !slices.Equal(told, []int64{4}) {
				t.Errorf("%s: then %v", name, told)
			}
			if told := readCodes(t, k, w); len(told) != 0 {
				t.Errorf("%s: again %v", name, told)
			}
		}
		if err := w.Close(); err != nil || k.leaked() != 0 {
			t.Errorf("%s: %v, %d descriptors are open", name, err, k.leaked())
		}
	}
}

// readCodes reads what the connector has heard, and returns the codes of ends.
func readCodes(t *testing.T, k *lifeKernel, w *watch, heard ...any) (codes []int64) {
	t.Helper()
	k.heard[protocolConnector] = heard
	k.polls[0].all(false)
	if err := w.Read(func(o *platform.Occurrence) {
		if o.Kind == platform.ProcessExited {
			codes = append(codes, o.Exit.Code)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return codes
}

// A process whose first thread has ended is let go of once the connector tells of it,
// and of so many only that descriptors stay few.
func TestOutlived(t *testing.T) {
	k := newLifeKernel(t)
	k.clock = 7e9
	w, err := watchLives(k, lived[:3]...)
	if err != nil {
		t.Fatal(err)
	}
	outlived := &w.listeners[0].(*connector).outlived
	for _, what := range []uint32{eventFork, eventExec, eventExit} {
		outlived.await(7)
		outlived.await(7)
		if len(outlived.open) != 1 {
			t.Fatalf("%d are open", len(outlived.open))
		}
		readCodes(t, k, w, connectorRecord(what, 1, 7, 7, 7, 7))
		if len(outlived.open) != 0 {
			t.Errorf("after %#x it is still waited for", what)
		}
	}
	for pid := range uint64(2 * mostAwaited) {
		outlived.await(10 + pid)
	}
	if len(outlived.open) != mostAwaited {
		t.Errorf("%d are open", len(outlived.open))
	}
	if err := w.Close(); err != nil || k.leaked() != 0 {
		t.Errorf("%v, %d descriptors are open", err, k.leaked())
	}
}
