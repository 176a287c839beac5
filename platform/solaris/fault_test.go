package solaris

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
)

// hear reads everything that a kernel tells once.
func hear(k *sim.Kernel) (*simkernel.Heard, error) {
	return simkernel.Hear(func() (platform.Backend, error) { return New(Options{Kernel: k, Budget: time.Hour}) })
}

// machine is one with two disks, two interfaces, and a zombie among its processes.
func machine() *sim.Kernel {
	w := simkernel.New(3, 8)
	for steps := 0; ; steps++ {
		zombies := 0
		for _, p := range w.Processes {
			if p.State == simkernel.Zombie {
				zombies++
			}
		}
		if steps > 40 && zombies > 0 && len(w.Disks) == 2 && len(w.Interfaces) == 2 && len(w.Processes) > 4 {
			return sim.New(w)
		}
		w.Step()
	}
}

// open opens a backend over a kernel.
func open(t *testing.T, k *sim.Kernel) platform.Backend {
	t.Helper()
	b, err := New(Options{Kernel: k, Budget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// calls are those of a pass that reads everything, without that of psinfo: one whose psinfo
// is not read is left out.
var calls = []string{"chain", "headers", "unix system_misc", "unix system_pages", "cpu sys", "cpu vm", "cpu_info misc", "tcp mib2", "sd disk", "link net",
	"/proc", "/etc/passwd", "/etc/mnttab", "/var/adm/utmpx", "statvfs", "uname", "putmsg", "getmsg", "SC_GETNSWP", "SC_LIST", "SIOCGLIFMTU", "sysinfo", "usage", "status", "fd", "path/a.out", "as"}

// Every call fails in its turn. Without a statistic of the start there is nobody to open, and
// without /proc there are no processes.
func TestFaults(t *testing.T) {
	vital := map[string]bool{"/proc": true, "chain": true, "headers": true, "unix system_misc": true}
	simkernel.Faults(t, func(fail func(string) error) (func() (platform.Backend, error), map[string]int) {
		k := machine()
		k.Fail = fail
		known := map[string]int{}
		for _, name := range calls {
			known[name] = 1
		}
		return func() (platform.Backend, error) { return New(Options{Kernel: k, Budget: time.Hour}) }, known
	}, vital)
}

// One whose psinfo is refused is left out, and the host is told.
func TestNoInfo(t *testing.T) {
	k := machine()
	k.Fail = func(name string) error {
		if name == "psinfo" {
			return fs.ErrPermission
		}
		return nil
	}
	if h, err := hear(k); err != nil || h.Samples[platform.Process] != 0 || h.Missed[platform.Denied] != len(k.Processes) || h.Samples[platform.Host] != 1 {
		t.Errorf("%v, %v, %v", err, h.Samples, h.Missed)
	}
}

// The list of calls above is whole, and the kernel is closed with its backend.
func TestCallsAreKnown(t *testing.T) {
	k := machine()
	if _, err := hear(k); err != nil {
		t.Fatal(err)
	}
	delete(k.Calls, "psinfo")
	for _, name := range calls {
		if k.Calls[name] == 0 {
			t.Errorf("%s is never made", name)
		}
	}
	if len(k.Calls) != len(calls) || k.Closed != 1 {
		t.Errorf("%v, closed %d times", k.Calls, k.Closed)
	}
}

// Answers that break off at any length give what is whole, and never panic; structures of
// another release, which are longer, are read as those of today.
func TestLengths(t *testing.T) {
	whole, err := hear(machine())
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 6000; cut += 1 + cut/40 {
		k := machine()
		k.Cut = cut
		h, err := hear(k)
		if err == nil && len(h.Fields) > len(whole.Fields) {
			t.Errorf("cut at %d: %d fields", cut, len(h.Fields))
		}
		if cut < infoSize && h.Samples[platform.Process] != 0 {
			t.Errorf("cut at %d: %v", cut, h.Samples)
		}
	}
	k := machine()
	k.Long = 24
	if h, err := hear(k); err != nil || h.Samples[platform.Process] != whole.Samples[platform.Process] || len(h.Fields) != len(whole.Fields) {
		t.Errorf("longer structures: %v, %v", err, h.Samples)
	}
}

// A PID that changes hands while its files are read gives no sample of a mixture, neither
// at first sight nor when its usage was known.
func TestPIDChangesHands(t *testing.T) {
	for _, known := range []bool{false, true} {
		k := machine()
		b := open(t, k)
		r, err := b.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		set := platform.SourceSet(0).With(0).With(1).With(2)
		p := k.Find(k.Self)
		if known {
			if err := r.Process(platform.Self, set, simkernel.NewHeard()); err != nil {
				t.Fatal(err)
			}
		}
		k.Fail = func(name string) error {
			if name == "status" {
				p.Born, p.Clock = p.Born+simkernel.Tick, p.Clock+simkernel.Tick // psinfo is read, usage is not
			}
			return nil
		}
		h := simkernel.NewHeard()
		if err := r.Process(platform.Self, set, h); !errors.Is(err, os.ErrProcessDone) || h.Samples[platform.Process] != 0 {
			t.Errorf("%v, %v", err, h.Samples)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Without usage psinfo is read again; a process that ended meanwhile gives no sample.
func TestEndsMeanwhile(t *testing.T) {
	k := machine()
	b := open(t, k)
	r, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	infos := 0
	k.Fail = func(name string) error {
		if name == "psinfo" {
			infos++
		}
		if infos == 2 {
			return fs.ErrNotExist
		}
		return nil
	}
	h := simkernel.NewHeard()
	if err := r.Process(platform.Self, platform.SourceSet(0).With(0).With(3), h); !errors.Is(err, os.ErrProcessDone) || infos != 2 || h.Samples[platform.Process] != 0 {
		t.Errorf("%v, %d, %v", err, infos, h.Samples)
	}
}

// A pass that knows its processes reads two files of each, and each statistic once; the
// chain is not read again while its number stays.
func TestCallsPerPass(t *testing.T) {
	k := machine()
	b := open(t, k)
	if err := simkernel.NewHeard().Read(b, simkernel.All(b)); err != nil {
		t.Fatal(err)
	}
	clear(k.Calls)
	h := simkernel.NewHeard()
	if err := h.Read(b, platform.SourceSet(0).With(0).With(1)); err != nil {
		t.Fatal(err)
	}
	living := h.Samples[platform.Process] - h.Missed[platform.Gone]
	if k.Calls["psinfo"] != len(k.Processes) || k.Calls["usage"] != living || k.Calls["/proc"] != 1 || len(k.Calls) != 3 {
		t.Errorf("%v for %d processes, %d of which live", k.Calls, len(k.Processes), living)
	}
	clear(k.Calls)
	if err := simkernel.NewHeard().Read(b, simkernel.All(b)); err != nil {
		t.Fatal(err)
	}
	if k.Calls["headers"] != 0 || k.Calls["chain"] != 1 || k.Calls["sd disk"] != 2 || k.Calls["link net"] != 2 || k.Calls["cpu sys"] != len(k.CPUs) || k.Calls["/etc/passwd"] != 1 {
		t.Errorf("%v", k.Calls)
	}
	k.Disks = k.Disks[:1]
	clear(k.Calls)
	h = simkernel.NewHeard()
	if err := h.Read(b, simkernel.All(b)); err != nil || k.Calls["headers"] != 1 || h.Samples[platform.Disk] != 1 {
		t.Errorf("%v, %v, %v", err, k.Calls, h.Samples)
	}
}

// A disk that goes while the chain is followed is left out, and costs nobody else.
func TestGoneStatistic(t *testing.T) {
	k := machine()
	disks := 0
	k.Fail = func(name string) error {
		if name == "sd disk" {
			if disks++; disks == 1 {
				return os.ErrProcessDone
			}
		}
		return nil
	}
	if h, err := hear(k); err != nil || h.Samples[platform.Disk] != 1 || h.Samples[platform.Network] != 2 {
		t.Errorf("%v, %v", err, h.Samples)
	}
}

// A link without an address of IP has no MTU, and is told.
func TestNoMTU(t *testing.T) {
	for _, fault := range []error{errors.ErrUnsupported, os.ErrProcessDone} {
		k := machine()
		k.Fail = func(name string) error {
			if name == "SIOCGLIFMTU" {
				return fault
			}
			return nil
		}
		h, err := hear(k)
		if _, told := h.Fields[platform.NetworkMTU]; err != nil || told || h.Samples[platform.Network] != 2 || k.Calls["SIOCGLIFMTU"] != 4 {
			t.Errorf("%v, %v, %v", err, h.Samples, k.Calls)
		}
	}
}

// What is not compared with a world: texts, sums over CPUs, file systems, sessions.
func TestValues(t *testing.T) {
	k := machine()
	h, err := hear(k)
	if err != nil {
		t.Fatal(err)
	}
	cpus := uint64(len(k.CPUs))
	for f, want := range map[platform.Field]uint64{
		platform.HostMemoryAvailable: k.Free, platform.HostMemoryUsed: k.Memory - k.Free, platform.HostInterrupts: 5 * cpus, platform.HostSystemCalls: 7 * cpus,
		platform.HostFaultsMajor: 3 * cpus, platform.HostFaultsMinor: 21 * cpus, platform.HostSwapIn: 4 * cpus, platform.HostSwapOut: 5 * cpus,
		platform.HostSessions: 1, platform.HostCPUPhysical: (cpus + 1) / 2, platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25,
		platform.HostTCPSegmentsReceived: 11, platform.HostTCPSegmentsSent: 12, platform.HostTCPRetransmits: 13, platform.HostTCPActiveOpens: 14,
		platform.HostTCPPassiveOpens: 15, platform.HostTCPAttemptFails: 16, platform.HostTCPResets: 17,
		platform.CPUFrequency: 2_701_000_000, platform.CPUFrequencyLive: 2_701_000_000, platform.CPUFrequencyNominal: 2_712_000_000,
		platform.DiskWeightedTime: 3000, platform.DiskPending: 7, platform.NetworkSpeed: 125_000_000, platform.ProcessOpenFiles: 4,
		platform.FilesystemTotal: 2_048_000, platform.FilesystemUsed: 2_048_000, platform.FilesystemFree: 0, platform.FilesystemInodesUsed: 10,
	} {
		if got, ok := h.Fields[f]; !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	for text, want := range map[platform.Text]string{
		platform.HostName: "box", platform.HostArch: "amd64", platform.OSType: "solaris", platform.OSName: "SunOS", platform.OSVersion: "illumos-0123456789",
		platform.OSDescription: "SunOS 5.11 illumos-0123456789", platform.ProcessEnvironment: "HOME=/\x00A=\x00",
		platform.FilesystemMode: "ro", platform.FilesystemType: "hsfs", platform.FilesystemDevice: "/dev/dsk/c1",
	} {
		if h.Texts[text] != want {
			t.Errorf("%v is %q, want %q", text, h.Texts[text], want)
		}
	}
	if h.Samples[platform.Filesystem] != 2 {
		t.Errorf("%v", h.Samples)
	}
}

// The arguments of a process are those in its memory, of programs of either width.
func TestArguments(t *testing.T) {
	k := machine()
	k.Extra = strings.Repeat("x", 5000)
	b := open(t, k)
	h, told := simkernel.NewHeard(), 0
	h.Each = func(s *platform.Sample) {
		if s.Entity != platform.Process {
			return
		}
		p := k.Find(s.Key.ID)
		got, ok := s.Text(platform.ProcessArguments)
		if ok != (p.State != simkernel.Zombie && !p.Denied) {
			t.Errorf("%v: arguments %v", s.Key, ok)
		}
		if !ok {
			return
		}
		told++
		if string(got) != p.Name+"\x00-x\x00\x00"+k.Extra+"\x00" {
			t.Errorf("%v: %q", s.Key, got)
		}
		path, _ := s.Text(platform.ProcessExecutable)
		if string(path) != p.Executable() {
			t.Errorf("%v: %q", s.Key, path)
		}
	}
	if err := h.Read(b, simkernel.All(b)); err != nil || told == 0 {
		t.Error(err, told)
	}
}

// With all devices, file systems without storage are told too, and servers still not asked.
func TestAllDevices(t *testing.T) {
	b, err := New(Options{Kernel: machine(), AllDevices: true, Budget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := simkernel.NewHeard()
	if err := h.Read(b, simkernel.All(b)); err != nil || h.Samples[platform.Filesystem] != 3 {
		t.Errorf("%v, %v", err, h.Samples)
	}
}

// mute is a kernel whose file systems do not answer until they are let.
type mute struct {
	*sim.Kernel
	asked int
	wait  chan struct{}
}

func (m *mute) Usage(string) ([7]uint64, error) {
	m.asked++
	<-m.wait
	return [7]uint64{512, 1000, 200, 190, 50, 20, 78}, nil
}

// A file system that does not answer costs one budget and one goroutine, and is told again
// when it has answered.
func TestStuckFilesystem(t *testing.T) {
	k := &mute{machine(), 0, make(chan struct{})}
	b, err := New(Options{Kernel: k, Budget: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 3 {
		h := simkernel.NewHeard()
		if err := h.Read(b, simkernel.All(b)); err != nil || h.Missed[platform.Stuck] != 1 || h.Samples[platform.Filesystem] != 0 || h.Samples[platform.Network] != 2 {
			t.Errorf("%v, %v, %v", err, h.Samples, h.Missed)
		}
	}
	close(k.wait)
	slow := b.(*backend)
	<-slow.parked
	slow.parked, slow.budget = nil, time.Hour
	if k.asked != 1 {
		t.Errorf("asked %d times", k.asked)
	}
	h := simkernel.NewHeard()
	if err := h.Read(b, simkernel.All(b)); err != nil || h.Samples[platform.Filesystem] != 2 {
		t.Errorf("%v, %v", err, h.Samples)
	}
}

// Without a kernel there is none on other systems.
func TestNoKernel(t *testing.T) {
	if _, err := Calls(); err == nil {
		t.Skip("this is illumos or Solaris")
	}
	if _, err := New(Options{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
