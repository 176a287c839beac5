package darwin

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/darwin"
	"github.com/pidometer/pidometer/platform"
)

func mac() *sim.Kernel {
	w := simkernel.New(3, 8)
	for range 40 {
		w.Step()
	}
	return sim.New(w)
}

// hear reads everything that a kernel tells once.
func hear(k *sim.Kernel) (*simkernel.Heard, error) {
	return simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k}) })
}

func TestFaults(t *testing.T) {
	simkernel.Faults(t, func(fail func(string) error) (func() (platform.Backend, error), map[string]int) {
		k := mac()
		k.Fail = fail
		return func() (platform.Backend, error) { return New(Options{Kernel: k}) }, k.Calls
	}, map[string]bool{"hw.tbfrequency": true, "[6 7]": true, "[1 21]": true, "[1 14]": true})
}

// Names that a machine does not have are absent, and no fault.
func TestAbsentNames(t *testing.T) {
	for _, name := range []string{"kern.osproductversion", "hw.cpufrequency", "hw.cpufrequency_min", "hw.cpufrequency_max"} {
		k := mac()
		k.Intel = true
		k.Fail = func(call string) error {
			if call == name {
				return fmt.Errorf("errno 2: %w", fs.ErrNotExist)
			}
			return nil
		}
		if h, err := hear(k); err != nil || h.Missed[platform.Unsupported] != 0 || h.Missed[platform.Unknown] != 0 {
			t.Errorf("%s: %v, %v", name, err, h.Missed)
		}
	}
}

// Answers that break off at any length give what is whole, and never panic.
func TestLengths(t *testing.T) {
	whole, err := hear(mac())
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 9000; cut += 1 + cut/40 {
		k := mac()
		k.Cut = cut
		if h, err := hear(k); err == nil && len(h.Fields) > len(whole.Fields) {
			t.Errorf("cut at %d: %d fields", cut, len(h.Fields))
		}
	}
}

// A clock without a rate that can be is no clock.
func TestClock(t *testing.T) {
	for _, n := range []int{1, 7} {
		k := mac()
		k.Cut = n
		if _, err := New(Options{Kernel: k}); err == nil {
			t.Errorf("%d bytes are a rate", n)
		}
	}
}

// A pass over everybody makes as many calls as there are groups that are wanted of each, and
// so many for all together.
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
	// For each the task, its usage and its files; for all the table, the boot time and two lists.
	if few, many := calls(4), calls(11); many-few != 3*7 || few != 4+3*4 {
		t.Errorf("%d and %d calls", few, many)
	}
}

// What is not compared with a world: texts, the battery, swap, memory, sessions.
func TestValues(t *testing.T) {
	k := mac()
	h, err := hear(k)
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[platform.Field]uint64{
		platform.HostMemoryFree: k.Free, platform.HostMemoryActive: 10 * sim.Page, platform.HostMemoryInactive: 20 * sim.Page, platform.HostMemoryWired: 30 * sim.Page,
		platform.HostMemoryCached: 7 * sim.Page, platform.HostMemoryAvailable: min(k.Free+25*sim.Page, k.Memory),
		platform.HostFaultsMajor: 30, platform.HostFaultsMinor: 70, platform.HostSwapIn: 8, platform.HostSwapOut: 9,
		platform.SwapTotal: 3 << 30, platform.SwapUsed: 1 << 30, platform.SwapFree: 2 << 30,
		platform.HostSessions: 1, platform.HostCPUPhysical: 2, platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25,
		platform.HardwareCharge: 800_000, platform.HardwareOnline: 0, platform.HardwareDischarging: 1, platform.HardwareTimeDischarging: 90 * 60e9,
		platform.HardwareTemperature: 30_550, platform.HostProcessLimit: 4000, platform.NetworkSpeed: 125_000_000,
		platform.ProcessMemoryUSS: sim.UniquePages * sim.Page, platform.ProcessOpenFiles: 4,
	} {
		if got, ok := h.Fields[f]; !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	for text, want := range map[platform.Text]string{
		platform.HostName: "mac.local", platform.HostArch: "arm64", platform.OSType: "darwin", platform.OSName: "macOS",
		platform.OSDescription: "macOS 15.4", platform.OSBuild: "24E248", platform.HostID: "0F7E6D5C-0000-11EE-9A55-000000000001",
		platform.ProcessEnvironment: "HOME=/\x00A=\x00", platform.FilesystemType: "apfs",
	} {
		if h.Texts[text] != want {
			t.Errorf("%v is %q, want %q", text, h.Texts[text], want)
		}
	}
	if h.Samples[platform.Filesystem] != 2 || h.Samples[platform.Disk] != len(k.Disks) || h.Samples[platform.Network] != len(k.Interfaces) || h.Samples[platform.Hardware] != 2 {
		t.Errorf("%v", h.Samples)
	}
	k = mac()
	k.Intel = true
	if h, err = hear(k); err != nil || h.Texts[platform.HostArch] != "amd64" {
		t.Errorf("%v, %s", err, h.Texts[platform.HostArch])
	}
}

// texts are what each process has of itself: owners by the directory, paths of everybody,
// arguments of those that allow it.
func TestTexts(t *testing.T) {
	k := mac()
	k.Processes[len(k.Processes)-1].UID = 4711 // nobody's name
	h := simkernel.NewHeard()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	seen := 0
	h.Each = func(s *platform.Sample) {
		p := k.World.Find(s.Key.ID)
		if s.Entity != platform.Process || p.State == simkernel.Zombie {
			return
		}
		seen++
		owner, named := s.Text(platform.ProcessOwner)
		if want := map[uint64]string{0: "root", 1000: "user"}[p.UID]; string(owner) != want || named != (want != "") {
			t.Errorf("%d belongs to %q, want %q", p.PID, owner, want)
		}
		if path, _ := s.Text(platform.ProcessExecutable); string(path) != "/bin/"+p.Name {
			t.Errorf("%d runs %q", p.PID, path)
		}
		if arguments, ok := s.Text(platform.ProcessArguments); ok == p.Denied || ok && string(arguments) != p.Name+"\x00-x\x00\x00" {
			t.Errorf("%d has %q", p.PID, arguments)
		}
	}
	if err := h.Read(b, simkernel.All(b)); err != nil || seen < 3 {
		t.Errorf("%v, %d processes", err, seen)
	}
	asked := k.Calls["getpwuid"]
	if err := h.Read(b, simkernel.All(b)); err != nil || k.Calls["getpwuid"] != asked {
		t.Errorf("%v: names are asked for again", err)
	}
}

// A process with more files open than there is room for is asked again.
func TestManyFiles(t *testing.T) {
	for _, files := range []int{0, 254, 255, 256, 5000} {
		k := mac()
		k.Files = files
		if h, err := hear(k); err != nil || h.Fields[platform.ProcessOpenFiles] != uint64(files+1) {
			t.Errorf("%d files: %d, %v", files+1, h.Fields[platform.ProcessOpenFiles], err)
		}
	}
}

// The sockets of a process are those that it used last.
func TestSockets(t *testing.T) {
	k := mac()
	h := simkernel.NewHeard()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	seen, all := 0, [2]uint64{}
	h.Each = func(s *platform.Sample) {
		udp, ok := s.Get(platform.ProcessUDP)
		if s.Entity != platform.Process || !ok {
			return
		}
		seen++
		var tcp uint64
		for _, f := range platform.ProcessTCPFields() {
			v, _ := s.Get(f)
			tcp += v
		}
		protocol, _ := sim.State(k.World.Find(s.Key.ID))
		if want := protocol == 17; want != (udp == 1) || tcp+udp != 1 {
			t.Errorf("%v has %d of TCP and %d of UDP", s.Key, tcp, udp)
		}
		all[0], all[1] = all[0]+tcp, all[1]+udp
	}
	if err := h.Read(b, simkernel.All(b)); err != nil || seen < 3 {
		t.Fatal(err, seen)
	}
	var tcp uint64
	for _, f := range platform.HostTCPFields() {
		tcp += h.Fields[f]
	}
	if tcp != all[0] || h.Fields[platform.HostUDP] != all[1] {
		t.Errorf("the host has %d and %d, its processes %v", tcp, h.Fields[platform.HostUDP], all)
	}
}

// A battery charges, is full or rests at its supply; where there is none, there is none.
func TestBattery(t *testing.T) {
	for _, c := range []struct {
		connected, charging, full bool
		want                      platform.Field
	}{
		{false, false, false, platform.HardwareDischarging}, {true, true, false, platform.HardwareCharging},
		{true, false, true, platform.HardwareFull}, {true, false, false, platform.HardwareNotCharging},
		{false, false, true, platform.HardwareDischarging}, // just pulled out
	} {
		var s platform.Sample
		s.Reset(platform.Hardware, platform.Key{Name: "battery"})
		setCharging(&s, c.connected, c.charging, c.full)
		for _, f := range []platform.Field{platform.HardwareDischarging, platform.HardwareCharging, platform.HardwareFull, platform.HardwareNotCharging} {
			if v, ok := s.Get(f); !ok || (v == 1) != (f == c.want) {
				t.Errorf("%+v: %v is %d", c, f, v)
			}
		}
	}
}

// With all devices, the loopback and file systems without storage are told too.
func TestAllDevices(t *testing.T) {
	k := mac()
	h, err := simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k, AllDevices: true}) })
	if err != nil || h.Samples[platform.Filesystem] != 3 || h.Samples[platform.Network] != len(k.Interfaces)+1 {
		t.Errorf("%v, %v", err, h.Samples)
	}
}

// Without a kernel there is none on other systems.
func TestNoKernel(t *testing.T) {
	if _, err := Calls(); err == nil {
		t.Skip("this is macOS")
	}
	if _, err := New(Options{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
