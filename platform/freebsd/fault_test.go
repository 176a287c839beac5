package freebsd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/platform"
)

// heard is what a read of everything gives: samples, and why sources gave nothing.
type heard struct {
	samples map[platform.Entity]int
	fields  map[platform.Field]uint64
	texts   map[platform.Text]string
	missed  map[platform.Reason]int
}

func (h *heard) Sample(s *platform.Sample) bool {
	h.samples[s.Entity]++
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			h.fields[f] = v
		}
	}
	from, count := s.Entity.Texts()
	for t := from; t < from+count; t++ {
		if v, ok := s.Text(t); ok {
			h.texts[t] = string(v)
		}
	}
	return true
}

func (h *heard) Miss(_ int, why platform.Reason) { h.missed[why]++ }

// hear reads everything that a kernel tells once.
func hear(k *sim.Kernel) (*heard, error) {
	h := &heard{map[platform.Entity]int{}, map[platform.Field]uint64{}, map[platform.Text]string{}, map[platform.Reason]int{}}
	b, err := New(Options{Kernel: k})
	if err != nil {
		return h, err
	}
	defer b.Close()
	return h, readAll(b, h)
}

func readAll(b platform.Backend, sink platform.Sink) error {
	r, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Read(platform.SourceSet(1)<<len(b.Sources())-1, sink)
}

func machine() *sim.Kernel {
	w := simkernel.New(3, 8)
	for range 40 {
		w.Step()
	}
	return sim.New(w)
}

// Every call fails in its turn, in several ways: what does not depend on it is told, and
// the reason of the rest is.
func TestFaults(t *testing.T) {
	k := machine()
	if _, err := hear(k); err != nil {
		t.Fatal(err)
	}
	reasons := map[error]platform.Reason{fs.ErrPermission: platform.Denied, os.ErrProcessDone: platform.Gone, errors.New("fault"): platform.Unknown}
	// Without these there is nobody to open, or no table to read.
	vital := map[string]bool{"[6 7]": true, "[1 21]": true, "[1 14 8]": true}
	for call := range k.Calls {
		for fault, reason := range reasons {
			k := machine()
			k.Fail = func(name string) error {
				if name == call {
					return fault
				}
				return nil
			}
			h, err := hear(k)
			switch {
			case vital[call]:
				if !errors.Is(err, fault) {
					t.Errorf("%s: %v", call, err)
				}
			case err != nil || h.samples[platform.Host] != 1 || h.samples[platform.Process] != len(k.Processes):
				t.Errorf("%s fails with %v: %v, %v", call, fault, err, h.samples)
			case h.missed[reason] == 0:
				t.Errorf("%s fails with %v: %v", call, fault, h.missed)
			}
		}
	}
}

// Names that a release or a machine does not have are absent, and no fault.
func TestAbsentNames(t *testing.T) {
	for _, name := range []string{"kern.smp.cores", "dev.cpu.0.temperature", "hw.acpi.battery.life", "hw.acpi.acline", "vm.swap_info"} {
		k := machine()
		k.Fail = func(call string) error {
			if call == name {
				return fmt.Errorf("errno 2: %w", fs.ErrNotExist)
			}
			return nil
		}
		whole, err := hear(machine())
		h, err2 := hear(k)
		if err != nil || err2 != nil || len(h.fields) >= len(whole.fields) || h.missed[platform.Unsupported] != 0 || h.missed[platform.Unknown] != 0 {
			t.Errorf("%s: %v, %v, %d of %d fields, %v", name, err, err2, len(h.fields), len(whole.fields), h.missed)
		}
	}
}

// Answers that break off at any length give what is whole, and never panic; rows of a
// later release, which are longer, are read as those of today.
func TestLengths(t *testing.T) {
	whole, err := hear(machine())
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 9000; cut += 1 + cut/40 {
		k := machine()
		k.Cut = cut
		if h, err := hear(k); err == nil && len(h.fields) > len(whole.fields) {
			t.Errorf("cut at %d: %d fields", cut, len(h.fields))
		}
	}
	k := machine()
	k.Long = 64
	if h, err := hear(k); err != nil || h.samples[platform.Process] != whole.samples[platform.Process] || len(h.fields) != len(whole.fields) {
		t.Errorf("longer rows: %v, %v", err, h.samples)
	}
}

// A disk that is being changed while it is read is read again, and left out if that
// never ends.
func TestChangingDisks(t *testing.T) {
	k := machine()
	all, _ := hear(machine())
	k.Busy = 2
	if h, err := hear(k); err != nil || h.samples[platform.Disk] != all.samples[platform.Disk] || k.Calls["kern.devstat.all"] < 2 {
		t.Errorf("%v, %v, asked %d times", err, h.samples, k.Calls["kern.devstat.all"])
	}
	k.Busy = 1000
	if h, err := hear(k); err != nil || h.samples[platform.Disk] != 0 {
		t.Errorf("%v, %v", err, h.samples)
	}
}

// What a pass over everybody costs does not depend on how many there are: the table, the
// files and the lists of sockets are one call each.
func TestCallsPerPass(t *testing.T) {
	calls := map[int]int{}
	for _, processes := range []int{4, 11} {
		w := simkernel.New(5, processes)
		for len(w.Processes) < processes {
			w.Step()
		}
		k := sim.New(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		var bulk platform.SourceSet
		for i, s := range b.Sources() {
			if s.Entity == platform.Process && !s.Dear {
				bulk = bulk.With(i)
			}
		}
		if err := readAll(b, each(func(*platform.Sample) {})); err != nil { // buffers grow
			t.Fatal(err)
		}
		clear(k.Calls)
		r, _ := b.Begin(t.Context())
		h := &heard{map[platform.Entity]int{}, map[platform.Field]uint64{}, map[platform.Text]string{}, map[platform.Reason]int{}}
		if err := r.Read(bulk, h); err != nil || h.samples[platform.Process] != processes {
			t.Fatal(err, h.samples)
		}
		r.Close()
		b.Close()
		for _, n := range k.Calls {
			calls[processes] += n
		}
		t.Logf("%d processes: %v", processes, k.Calls)
	}
	if calls[4] != calls[11] || calls[4] > 6 {
		t.Errorf("%v", calls)
	}
}

// What is not compared with a world: texts, sensors, swap, memory, sessions, sockets.
func TestValues(t *testing.T) {
	k := machine()
	h, err := hear(k)
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[platform.Field]uint64{
		platform.HostMemoryBuffers: 4096, platform.HostMemoryActive: 10 * sim.Page, platform.HostMemoryInactive: 20 * sim.Page,
		platform.HostMemoryAvailable: min(k.Free+20*sim.Page, k.Memory), platform.HostInterrupts: 5, platform.HostSoftInterrupts: 6,
		platform.HostSystemCalls: 7, platform.HostFaultsMajor: 30, platform.HostFaultsMinor: 70, platform.HostSwapIn: 8, platform.HostSwapOut: 9,
		platform.SwapTotal: 2000 * sim.Page, platform.SwapUsed: 20 * sim.Page, platform.SwapFree: 1980 * sim.Page,
		platform.HostSessions: 1, platform.HostCPUPhysical: 2, platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25,
		platform.HardwareTemperature: 40_000, platform.HardwareCharge: 800_000, platform.HardwareOnline: 1,
		platform.ProcessFileLimitSoft: 1024, platform.HostProcessLimit: 7000, platform.NetworkSpeed: 125_000_000,
	} {
		if got, ok := h.fields[f]; !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	if _, ok := h.fields[platform.ProcessFileLimitHard]; ok {
		t.Error("no limit is one")
	}
	for text, want := range map[platform.Text]string{
		platform.HostName: "box", platform.HostArch: "amd64", platform.OSType: "freebsd", platform.OSName: "FreeBSD",
		platform.OSDescription: "FreeBSD 14.1-RELEASE", platform.HostID: "0f7e6d5c-0000-11ee-9a55-000000000001",
		platform.ProcessEnvironment: "HOME=/\x00A=\x00",
	} {
		if h.texts[text] != want {
			t.Errorf("%v is %q, want %q", text, h.texts[text], want)
		}
	}
	if h.samples[platform.Filesystem] != 2 || h.samples[platform.Disk] != len(k.Disks) || h.samples[platform.Network] != len(k.Interfaces) {
		t.Errorf("%v", h.samples)
	}
}

// With all devices, what is no disk, the loopback and file systems without storage are
// told too.
func TestAllDevices(t *testing.T) {
	k := machine()
	b, err := New(Options{Kernel: k, AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := &heard{map[platform.Entity]int{}, map[platform.Field]uint64{}, map[platform.Text]string{}, map[platform.Reason]int{}}
	if err := readAll(b, h); err != nil || h.samples[platform.Filesystem] != 3 || h.samples[platform.Disk] != len(k.Disks)+2 || h.samples[platform.Network] != len(k.Interfaces)+1 {
		t.Errorf("%v, %v", err, h.samples)
	}
}

// The sockets of a process are those whose addresses its files have.
func TestSockets(t *testing.T) {
	k := machine()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	want := map[uint64][2]uint64{}
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie {
			continue
		}
		if protocol, _ := sim.State(p); protocol == 17 {
			want[p.PID] = [2]uint64{0, 1}
		} else {
			want[p.PID] = [2]uint64{1, 0}
		}
	}
	got := map[uint64][2]uint64{}
	if err := readAll(b, each(func(s *platform.Sample) {
		files, ok := s.Get(platform.ProcessOpenFiles)
		if s.Entity != platform.Process || !ok {
			return
		}
		var tcp uint64
		for _, f := range platform.ProcessTCPFields() {
			v, _ := s.Get(f)
			tcp += v
		}
		udp, _ := s.Get(platform.ProcessUDP)
		if got[s.Key.ID] = [2]uint64{tcp, udp}; files != 2 {
			t.Errorf("%v has %d files open", s.Key, files)
		}
	})); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// each is a sink of samples alone.
type each func(*platform.Sample)

func (e each) Sample(s *platform.Sample) bool { e(s); return true }
func (each) Miss(int, platform.Reason)        {}

// Without a kernel there is none on other systems.
func TestNoKernel(t *testing.T) {
	if _, err := Calls(); err == nil {
		t.Skip("this is FreeBSD")
	}
	if _, err := New(Options{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
