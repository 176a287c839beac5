package freebsd

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/platform"
)

// hear reads everything that a kernel tells once.
func hear(k *sim.Kernel) (*simkernel.Heard, error) {
	return simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k}) })
}

func machine() *sim.Kernel {
	w := simkernel.New(3, 8)
	for range 40 {
		w.Step()
	}
	return sim.New(w)
}

func TestFaults(t *testing.T) {
	simkernel.Faults(t, func(fail func(string) error) (func() (platform.Backend, error), map[string]int) {
		k := machine()
		k.Fail = fail
		return func() (platform.Backend, error) { return New(Options{Kernel: k}) }, k.Calls
	}, map[string]bool{"[6 7]": true, "[1 21]": true, "[1 14 8]": true})
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
		if err != nil || err2 != nil || len(h.Fields) >= len(whole.Fields) || h.Missed[platform.Unsupported] != 0 || h.Missed[platform.Unknown] != 0 {
			t.Errorf("%s: %v, %v, %d of %d fields, %v", name, err, err2, len(h.Fields), len(whole.Fields), h.Missed)
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
		if h, err := hear(k); err == nil && len(h.Fields) > len(whole.Fields) {
			t.Errorf("cut at %d: %d fields", cut, len(h.Fields))
		}
	}
	k := machine()
	k.Long = 64
	if h, err := hear(k); err != nil || h.Samples[platform.Process] != whole.Samples[platform.Process] || len(h.Fields) != len(whole.Fields) {
		t.Errorf("longer rows: %v, %v", err, h.Samples)
	}
}

// A disk that is being changed while it is read is read again, and left out if that
// never ends.
func TestChangingDisks(t *testing.T) {
	k := machine()
	all, _ := hear(machine())
	k.Busy = 2
	if h, err := hear(k); err != nil || h.Samples[platform.Disk] != all.Samples[platform.Disk] || k.Calls["kern.devstat.all"] < 2 {
		t.Errorf("%v, %v, asked %d times", err, h.Samples, k.Calls["kern.devstat.all"])
	}
	k.Busy = 1000
	if h, err := hear(k); err != nil || h.Samples[platform.Disk] != 0 {
		t.Errorf("%v, %v", err, h.Samples)
	}
}

// What a pass over everybody costs does not depend on how many there are: the table, the
// files and the lists of sockets are one call each.
func TestCallsPerPass(t *testing.T) {
	calls := func(processes int) int {
		return simkernel.CallsPerPass(t, processes, func(w *simkernel.World) (platform.Backend, map[string]int) {
			k := sim.New(w)
			b, err := New(Options{Kernel: k})
			if err != nil {
				t.Fatal(err)
			}
			return b, k.Calls
		})
	}
	if few, many := calls(4), calls(11); few != many || few > 6 {
		t.Errorf("%d and %d calls", few, many)
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
		platform.HostMemoryBuffers: 4096, platform.HostMemoryActive: 10 * sim.Page, platform.HostMemoryInactive: 20 * sim.Page, platform.HostMemoryWired: 30 * sim.Page,
		platform.HostMemoryAvailable: min(k.Free+20*sim.Page, k.Memory), platform.HostInterrupts: 5, platform.HostSoftInterrupts: 6,
		platform.HostSystemCalls: 7, platform.HostFaultsMajor: 30, platform.HostFaultsMinor: 70, platform.HostSwapIn: 8, platform.HostSwapOut: 9,
		platform.SwapTotal: 2000 * sim.Page, platform.SwapUsed: 20 * sim.Page, platform.SwapFree: 1980 * sim.Page,
		platform.HostSessions: 1, platform.HostCPUPhysical: 2, platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25,
		platform.HardwareTemperature: 40_000, platform.HardwareCharge: 800_000, platform.HardwareOnline: 1,
		platform.ProcessFileLimitSoft: 1024, platform.HostProcessLimit: 7000, platform.NetworkSpeed: 125_000_000,
	} {
		if got, ok := h.Fields[f]; !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	if _, ok := h.Fields[platform.ProcessFileLimitHard]; ok {
		t.Error("no limit is one")
	}
	for text, want := range map[platform.Text]string{
		platform.HostName: "box", platform.HostArch: "amd64", platform.OSType: "freebsd", platform.OSName: "FreeBSD",
		platform.OSDescription: "FreeBSD 14.1-RELEASE", platform.HostID: "0f7e6d5c-0000-11ee-9a55-000000000001",
		platform.ProcessEnvironment: "HOME=/\x00A=\x00",
	} {
		if h.Texts[text] != want {
			t.Errorf("%v is %q, want %q", text, h.Texts[text], want)
		}
	}
	if h.Samples[platform.Filesystem] != 2 || h.Samples[platform.Disk] != len(k.Disks) || h.Samples[platform.Network] != len(k.Interfaces) {
		t.Errorf("%v", h.Samples)
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
	h := simkernel.NewHeard()
	if err := h.Read(b, simkernel.All(b)); err != nil || h.Samples[platform.Filesystem] != 3 || h.Samples[platform.Disk] != len(k.Disks)+2 || h.Samples[platform.Network] != len(k.Interfaces)+1 {
		t.Errorf("%v, %v", err, h.Samples)
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
	h := simkernel.NewHeard()
	h.Each = func(s *platform.Sample) {
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
	}
	if err := h.Read(b, simkernel.All(b)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Without a kernel there is none on other systems.
func TestNoKernel(t *testing.T) {
	if _, err := Calls(); err == nil {
		t.Skip("this is FreeBSD")
	}
	if _, err := New(Options{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// Single processes are looked up as they are, and what is not whole is refused.
func TestWho(t *testing.T) {
	k := machine()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	l := simkernel.Lookup{Dialect: world, World: k.World, Answers: &k.Answers, Row: rowSize, Vital: []string{"[1 14 1]", "[1 21]"}, Zombies: true,
		Find: func(pid uint64) (simkernel.Known, error) {
			known, err := b.(*backend).Backend.Who(pid)
			return simkernel.Known{Key: known.Key, Parent: known.Parent, Command: string(known.Command)}, err
		}}
	l.Check(t)
}
