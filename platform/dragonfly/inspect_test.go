package dragonfly

import (
	"context"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/dragonfly"
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

// hear reads everything that a kernel tells once.
func hear(k *sim.Kernel, all bool) (*simkernel.Heard, error) {
	return simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k, AllDevices: all}) })
}

// machine is a made-up DragonFly some time after its start.
func machine() *sim.Kernel {
	w := simkernel.New(3, 8)
	for range 60 {
		w.Step()
	}
	return sim.New(w)
}

// Whatever call fails costs what it tells of, and nothing else.
func TestFaults(t *testing.T) {
	simkernel.Refusals(t, func(fail func(string) error) (func() (platform.Backend, error), map[string]int) {
		k := machine()
		k.Fail = fail
		return func() (platform.Backend, error) { return New(Options{Kernel: k}) }, k.Calls
	}, map[string]bool{"[1 14 0]": true, "[1 21]": true, "[6 7]": true}, nil)
}

// Answers which break off anywhere are no reason to panic, and noticed.
func TestCutAnswers(t *testing.T) {
	for cut := 1; cut < 3000; cut += 1 + cut/50 {
		k := machine()
		k.Cut = cut
		if h, err := hear(k, true); err == nil && len(h.Missed) == 0 && len(k.Processes)*992 > cut {
			t.Errorf("cut to %d bytes, and nobody noticed", cut)
		}
	}
}

// What is not compared with a world.
func TestValues(t *testing.T) {
	k := machine()
	h, err := hear(k, true)
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[platform.Field]uint64{platform.HostMemoryActive: 10 * sim.Page, platform.HostMemoryInactive: 20 * sim.Page, platform.HostMemoryWired: 30 * sim.Page,
		platform.HostLoad1: 100, platform.HostProcessLimit: 7000, platform.NetworkSpeed: 125_000_000, platform.FilesystemTotal: 2048_000} {
		if got, ok := h.Fields[f]; !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	for text, want := range map[platform.Text]string{platform.OSType: "dragonflybsd", platform.OSDescription: "DragonFly 6.4-RELEASE",
		platform.FilesystemType: "hammer2", platform.FilesystemDevice: "ROOT", platform.FilesystemMode: "ro"} {
		if h.Texts[text] != want {
			t.Errorf("%v is %q, want %q", text, h.Texts[text], want)
		}
	}
}

// Each number of sys/proc.h has its state, and one that is not there has none.
func TestStates(t *testing.T) {
	row := make([]byte, rowSize)
	for number, want := range map[byte]platform.State{1: platform.StateSleeping, 3: platform.StateStopped, 4: platform.StateDefunct} {
		row[statAt] = number
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("state %d is %v (%v), want %v", number, got, ok, want)
		}
	}
	row[statAt] = 2
	for number, want := range map[byte]platform.State{1: platform.StateRunning, 2: platform.StateStopped, 3: platform.StateSleeping} {
		row[threadStat] = number
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("a thread's %d is %v (%v), want %v", number, got, ok, want)
		}
	}
	for _, none := range [][2]byte{{2, 9}, {5, 1}} {
		row[statAt], row[threadStat] = none[0], none[1]
		if got, ok := stateOf(row); ok {
			t.Errorf("state %v is %v", none, got)
		}
	}
}

// The lists of the host are those of the world, and who is logged in is not read.
func TestHostDetails(t *testing.T) {
	w := simkernel.New(4, 8)
	m := inspected(t)(w)
	defer m.Close()
	for range 100 {
		if err := simkernel.CheckInterfaces(w, m.Inspector); err != nil {
			t.Fatal(err)
		}
		w.Step()
	}
	if mounts, err := m.Mounts(context.Background()); err != nil || len(mounts) != 1 || mounts[0].Point != "/" || !mounts[0].ReadOnly {
		t.Errorf("%+v, %v", mounts, err)
	}
	if sessions, err := m.Sessions(context.Background()); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(sessions, err)
	}
	if _, err := m.Inspect(context.Background(), platform.Key{ID: 1<<32 - 1}); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the kernel's own threads: %v", err)
	}
}

func TestNoKernelHere(t *testing.T) {
	if _, err := Calls(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := New(Options{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// u64 is the slow way to a number.
func u64(b []byte) (v uint64) {
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

func FuzzDecodeThreads(f *testing.F) {
	w := simkernel.New(1, 8)
	buf := make([]byte, 64<<10)
	n, err := sim.New(w).Sysctl([]int32{ctlKern, kernProc, procAll | procThreads}, buf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(buf[:n:n])
	f.Add(buf[: n-1 : n-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeThreads(b)
		totals, wholeTotals := decodeTotals(b)
		if whole != (len(b)%992 == 0) || whole != wholeTotals || len(all) != len(b)/992 {
			t.Fatalf("%d bytes are %d threads, %v", len(b), len(all), whole)
		}
		want := map[uint64]uint64{}
		for at := 0; at+992 <= len(b); at += 992 {
			pid := uint64(b[at+220]) | uint64(b[at+221])<<8 | uint64(b[at+222])<<16 | uint64(b[at+223])<<24
			if _, known := want[pid]; !known {
				want[pid] = u64(b[at+368+64:])
			}
			want[pid] += u64(b[at+760+64:])
		}
		got := map[uint64]uint64{}
		for pid, total := range totals {
			got[pid] = total.minor
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func FuzzDecodeCPUs(f *testing.F) {
	f.Add(make([]byte, 208))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeCPUs(b)
		if whole != (len(b) > 0 && len(b)%104 == 0) || len(all) != len(b)/104 {
			t.Fatalf("%d bytes are %d CPUs, %v", len(b), len(all), whole)
		}
		for i, c := range all {
			if c.ID != uint64(i) || c.User != u64(b[104*i:]) || c.Idle != u64(b[104*i+32:]) {
				t.Errorf("%+v", c)
			}
		}
	})
}
