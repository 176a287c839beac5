package netbsd

import (
	"errors"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/platform"
)

// hear reads everything that a kernel tells once.
func hear(k *bsd.Kernel, all bool) (*simkernel.Heard, error) {
	return simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k, AllDevices: all}) })
}

// What a pass over everybody costs does not depend on how many there are.
func TestCallsPerPass(t *testing.T) {
	calls := func(processes int) int {
		return simkernel.CallsPerPass(t, processes, func(w *simkernel.World) (platform.Backend, map[string]int) {
			k := bsd.NetBSD(w)
			b, err := New(Options{Kernel: k})
			if err != nil {
				t.Fatal(err)
			}
			return b, k.Calls
		})
	}
	if few, many := calls(4), calls(11); few != many || few > 11 {
		t.Errorf("%d and %d calls", few, many)
	}
}

// Whatever call fails costs what it tells of, and nothing else. A kernel without a protocol has
// no list of its sockets.
func TestFaults(t *testing.T) {
	simkernel.Refusals(t, func(fail func(string) error) (func() (platform.Backend, error), map[string]int) {
		k := machine()
		k.Fail = fail
		return func() (platform.Backend, error) { return New(Options{Kernel: k}) }, k.Calls
	}, map[string]bool{"proc": true, "boottime": true, "pagesize": true}, map[string]bool{"net.inet.tcp.pcblist": true, "net.inet6.tcp6.pcblist": true, "net.inet.udp.pcblist": true, "net.inet6.udp6.pcblist": true})
}

// Answers which break off anywhere are no reason to panic, and noticed.
func TestCutAnswers(t *testing.T) {
	for cut := 1; cut < 3000; cut += 1 + cut/50 {
		k := machine()
		k.Cut = cut
		if h, err := hear(k, true); err == nil && len(h.Missed) == 0 {
			t.Errorf("cut to %d bytes, and nobody noticed", cut)
		}
	}
}

func TestStop(t *testing.T) {
	simkernel.Stops(t, func() (platform.Backend, error) { return New(Options{Kernel: machine(), AllDevices: true}) })
}

// told are what samples of a kind tell, in a line each by their names.
func told(k *bsd.Kernel, kinds ...platform.Entity) (lines map[string]string, err error) {
	b, err := New(Options{Kernel: k, AllDevices: true})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return simkernel.Lines(b, kinds...)
}

// What is not compared with a world: memory, texts, file systems, swap, sockets.
func TestHost(t *testing.T) {
	k := machine()
	h, err := hear(k, true)
	if err != nil {
		t.Fatal(err)
	}
	total := k.Memory / bsd.Page
	tcp, udp := uint64(0), uint64(0)
	for _, p := range k.Processes {
		switch {
		case p.State == simkernel.Zombie:
		case p.IsTCP():
			tcp++
		default:
			udp++
		}
	}
	for f, want := range map[platform.Field]uint64{
		platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25, platform.HostProcessLimit: 1310, platform.HostFileHandleLimit: 7030,
		platform.HostSessions: 2, platform.HostInterrupts: 1 << 30, platform.HostSoftInterrupts: 77, platform.HostSystemCalls: 88,
		platform.HostFaultsMajor: 99, platform.HostFaultsMinor: 1<<31 - 99, platform.HostSwapIn: 5, platform.HostSwapOut: 6, platform.HostUDP: udp,
		platform.HostMemoryCached: 10_000 * bsd.Page, platform.HostMemoryWired: 15_000 * bsd.Page, platform.HostMemoryUsed: 45_000 * bsd.Page, platform.HostMemoryAvailable: (total - 45_000) * bsd.Page,
	} {
		if got, ok := h.Fields[f]; !ok || got != want {
			t.Errorf("%v is %d (%v), want %d", f, got, ok, want)
		}
	}
	states := uint64(0)
	for _, f := range platform.HostTCPFields() {
		states += h.Fields[f]
	}
	if states != tcp {
		t.Errorf("%d sockets of TCP, want %d", states, tcp)
	}
	for x, want := range map[platform.Text]string{platform.HostID: "some-uuid", platform.HostName: "box", platform.HostArch: "amd64",
		platform.OSType: "netbsd", platform.OSVersion: "10.1", platform.OSDescription: "BSD 10.1"} {
		if h.Texts[x] != want {
			t.Errorf("%v is %q, want %q", x, h.Texts[x], want)
		}
	}
	if h.Samples[platform.Filesystem] != 3 || h.Samples[platform.Network] != len(k.Interfaces)+1 {
		t.Errorf("%d file systems and %d interfaces of all", h.Samples[platform.Filesystem], h.Samples[platform.Network])
	}
	lines, err := told(machine(), platform.Filesystem, platform.Swap)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/":    "filesystem.total=4096000 filesystem.used=3686400 filesystem.free=389120 filesystem.reserved=20480 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"/ro":  "filesystem.total=2048000 filesystem.used=1638400 filesystem.free=0 filesystem.reserved=409600 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"swap": "swap.total=20480000 swap.used=204800 swap.free=20275200 ",
	} {
		if got := lines[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
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
