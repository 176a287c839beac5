package openbsd

import (
	"errors"
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl/worldtest"
	"github.com/pidometer/pidometer/platform"
)

// machine is a made-up OpenBSD. Many have no frequency and no sensors.
var machine = worldtest.Machine{
	Kernel: worldtest.OpenBSD,
	Open: func(k *worldtest.Kernel, all bool) (platform.Backend, error) {
		return New(Options{Kernel: k, AllDevices: all})
	},
	Silent: map[string]bool{"cpuspeed": true, "sensors": true},
}

func TestCallsDoNotGrow(t *testing.T) { machine.Calls(t) }
func TestFaults(t *testing.T)         { machine.Faults(t) }
func TestCutAnswers(t *testing.T)     { machine.Cuts(t) }
func TestStop(t *testing.T)           { machine.Stops(t) }

func TestHost(t *testing.T) {
	c, err := machine.Read(worldtest.OpenBSD(worldtest.NewWorld(1)), true)
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[platform.Field]uint64{
		platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25, platform.HostProcessLimit: 1310, platform.HostFileHandleLimit: 7030,
		platform.HostMemoryTotal: 100_000 * 4096, platform.HostMemoryFree: 20_000 * 4096, platform.HostSessions: 2,
		platform.HostContextSwitches: 3 << 30, platform.HostInterrupts: 1 << 30, platform.HostSoftInterrupts: 77, platform.HostSystemCalls: 88,
		platform.HostFaultsMajor: 99, platform.HostFaultsMinor: 1<<31 - 99, platform.HostSwapIn: 5, platform.HostSwapOut: 6,
		platform.HostUDP: 0, platform.HostTCPListen: 0, platform.HostMemoryAvailable: 30_300 * 4096, platform.HostMemoryUsed: 69_700 * 4096, platform.HostMemoryCached: 300 * 4096,
		platform.HostMemoryDirty: 7 * 4096, platform.HostFileHandles: 200,
	} {
		if got, ok := c.Host[f]; !ok || got != want {
			t.Errorf("%v is %d (%v), want %d", f, got, ok, want)
		}
	}
	for x, want := range map[platform.Text]string{platform.HostID: "some-uuid", platform.HostName: "box", platform.HostArch: "amd64",
		platform.OSType: "openbsd", platform.OSVersion: "10.1", platform.OSDescription: "BSD 10.1"} {
		if c.Texts[x] != want {
			t.Errorf("%v is %q, want %q", x, c.Texts[x], want)
		}
	}
	for name, want := range map[string]string{
		"/":          "filesystem.total=4096000 filesystem.used=3686400 filesystem.free=389120 filesystem.reserved=20480 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"/ro":        "filesystem.total=2048000 filesystem.used=1638400 filesystem.free=0 filesystem.reserved=409600 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"swap":       "swap.total=20480000 swap.used=204800 swap.free=20275200 ",
		"cpu0.temp0": "hardware.temperature=42500 hardware.state.ok=1 hardware.state.degraded=0 hardware.state.failed=0 ", "cpu0.temp1": "",
		"cpu0.fan0":  "hardware.fan.speed=1200 hardware.state.ok=1 hardware.state.degraded=0 hardware.state.failed=0 ",
		"cpu0.volt0": "hardware.voltage=12000 hardware.state.ok=0 hardware.state.degraded=1 hardware.state.failed=0 ",
		"acpibat0":   "hardware.charge=750000 ", "acpiac0": "hardware.online=1 ",
	} {
		if got := c.Hard[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if c.Samples[platform.Filesystem] != 3 || c.Samples[platform.Network] != 2 {
		t.Errorf("%d file systems and %d interfaces of all", c.Samples[platform.Filesystem], c.Samples[platform.Network])
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
