package netbsd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl/worldtest"
	"github.com/pidometer/pidometer/platform"
)

// tally counts what comes.
type tally struct {
	samples [platform.Entities]int
	host    map[platform.Field]uint64
	texts   map[platform.Text]string
	hard    map[string]string
	misses  map[platform.Reason]int
}

func (c *tally) Sample(s *platform.Sample) bool {
	c.samples[s.Entity]++
	switch s.Entity {
	case platform.Host:
		first, n := s.Entity.Block()
		for f := first; f < first+platform.Field(n); f++ {
			if v, ok := s.Get(f); ok {
				c.host[f] = v
			}
		}
		firstText, texts := s.Entity.Texts()
		for x := firstText; x < firstText+texts; x++ {
			if v, ok := s.Text(x); ok {
				c.texts[x] = string(v)
			}
		}
	case platform.Hardware, platform.Filesystem, platform.Swap:
		line := ""
		first, n := s.Entity.Block()
		for f := first; f < first+platform.Field(n); f++ {
			if v, ok := s.Get(f); ok {
				line += fmt.Sprint(f, "=", int64(v), " ")
			}
		}
		c.hard[s.Key.Name] = line
	}
	return true
}

func (c *tally) Miss(_ int, why platform.Reason) { c.misses[why]++ }

// read makes one pass over everything.
func read(t *testing.T, k *worldtest.Kernel, o Options) (*tally, error) {
	t.Helper()
	o.Kernel = k
	b, err := New(o)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	c := &tally{host: map[platform.Field]uint64{}, texts: map[platform.Text]string{}, hard: map[string]string{}, misses: map[platform.Reason]int{}}
	pass, err := b.Begin(context.Background())
	if err != nil {
		return nil, err
	}
	defer pass.Close()
	return c, pass.Read(1<<len(b.Sources())-1, c)
}

func TestHost(t *testing.T) {
	c, err := read(t, worldtest.NetBSD(worldtest.NewWorld(1)), Options{AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[platform.Field]uint64{
		platform.HostLoad1: 100, platform.HostLoad5: 50, platform.HostLoad15: 25, platform.HostProcessLimit: 1310, platform.HostFileHandleLimit: 7030,
		platform.HostMemoryTotal: 100_000 * 4096, platform.HostMemoryFree: 20_000 * 4096, platform.HostSessions: 2,
		platform.HostContextSwitches: 3 << 30, platform.HostInterrupts: 1 << 30, platform.HostSoftInterrupts: 77, platform.HostSystemCalls: 88,
		platform.HostFaultsMajor: 99, platform.HostFaultsMinor: 1<<31 - 99, platform.HostSwapIn: 5, platform.HostSwapOut: 6,
		platform.HostUDP: 0, platform.HostTCPListen: 0, platform.HostMemoryUsed: 45_000 * 4096, platform.HostMemoryAvailable: 55_000 * 4096, platform.HostMemoryCached: 10_000 * 4096,
	} {
		if got, ok := c.host[f]; !ok || got != want {
			t.Errorf("%v is %d (%v), want %d", f, got, ok, want)
		}
	}
	for x, want := range map[platform.Text]string{platform.HostID: "some-uuid", platform.HostName: "box", platform.HostArch: "amd64",
		platform.OSType: "netbsd", platform.OSVersion: "10.1", platform.OSDescription: "BSD 10.1"} {
		if c.texts[x] != want {
			t.Errorf("%v is %q, want %q", x, c.texts[x], want)
		}
	}
	for name, want := range map[string]string{
		"/":    "filesystem.total=4096000 filesystem.used=3686400 filesystem.free=389120 filesystem.reserved=20480 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"/ro":  "filesystem.total=2048000 filesystem.used=1638400 filesystem.free=0 filesystem.reserved=409600 filesystem.inodes=50 filesystem.inodes.used=30 filesystem.inodes.free=20 ",
		"swap": "swap.total=20480000 swap.used=204800 swap.free=20275200 ",
	} {
		if got := c.hard[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if c.samples[platform.Filesystem] != 3 || c.samples[platform.Network] != 2 {
		t.Errorf("%d file systems and %d interfaces of all", c.samples[platform.Filesystem], c.samples[platform.Network])
	}
}

// A pass makes as many calls for many processes as for few, texts of single ones apart.
func TestCallsDoNotGrow(t *testing.T) {
	calls := func(processes int) map[string]int {
		w := worldtest.NewWorld(1)
		for i := range processes {
			p := *w.Processes[1]
			p.PID = uint64(1000 + i)
			w.Processes = append(w.Processes, &p)
		}
		k := worldtest.NetBSD(w)
		c, err := read(t, k, Options{})
		if err != nil || c.samples[platform.Process] != len(w.Processes) {
			t.Fatalf("%d of %d processes, %v", c.samples[platform.Process], len(w.Processes), err)
		}
		delete(k.Calls, "args")
		return k.Calls
	}
	few, many := calls(0), calls(5000)
	few["proc"], many["proc"] = 0, many["proc"]-few["proc"]
	for name, n := range many {
		if n > few[name]+3 { // an answer that outgrows the first buffer takes a call more
			t.Errorf("%s was called %d times, and %d for few", name, n, few[name])
		}
	}
	t.Logf("for few processes: %v", few)
}

// Whatever call fails costs what it tells of, and nothing else.
func TestFaults(t *testing.T) {
	whole := worldtest.NetBSD(worldtest.NewWorld(1))
	if _, err := read(t, whole, Options{}); err != nil {
		t.Fatal(err)
	}
	for name := range whole.Calls {
		for _, fault := range []error{fs.ErrPermission, os.ErrProcessDone, fs.ErrNotExist, errors.ErrUnsupported, errors.New("odd")} {
			k := worldtest.NetBSD(worldtest.NewWorld(1))
			k.Fail = func(call string) error {
				if call == name {
					return fault
				}
				return nil
			}
			c, err := read(t, k, Options{})
			switch {
			case name == "proc" || name == "boottime" || name == "pagesize":
				if !errors.Is(err, fault) {
					t.Errorf("%s: %v gave %v", name, fault, err)
				}
			case err != nil:
				t.Errorf("%s: %v ended the pass: %v", name, fault, err)
			case len(c.misses) == 0 && !silent[name]:
				t.Errorf("%s: %v was not missed", name, fault)
			case c.samples[platform.Process] != len(k.World.Processes):
				t.Errorf("%s: %d of %d processes", name, c.samples[platform.Process], len(k.World.Processes))
			}
		}
	}
}

// Answers that break off anywhere are no reason to panic.
func TestCutAnswers(t *testing.T) {
	for cut := 1; cut < 3000; cut += 1 + cut/50 {
		k := worldtest.NetBSD(worldtest.NewWorld(2))
		w := k.World
		for range 60 {
			w.Step()
		}
		k.Cut = cut
		c, err := read(t, k, Options{AllDevices: true})
		if err == nil && len(c.misses) == 0 {
			t.Errorf("cut to %d bytes, and nobody noticed", cut)
		}
	}
}

// A sink that wants no more gets no more, whatever was handed to it last.
func TestStop(t *testing.T) {
	for most := 1; most < 30; most++ {
		b, err := New(Options{Kernel: worldtest.NetBSD(worldtest.NewWorld(1)), AllDevices: true})
		if err != nil {
			t.Fatal(err)
		}
		pass, err := b.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := &stopper{most: most}
		if err := pass.Read(1<<len(b.Sources())-1, s); err != nil || s.got > most {
			t.Errorf("%d samples of %d, %v", s.got, most, err)
		}
		pass.Close()
		b.Close()
	}
}

type stopper struct{ most, got int }

func (s *stopper) Sample(*platform.Sample) bool { s.got++; return s.got < s.most }
func (s *stopper) Miss(int, platform.Reason)    {}

func TestNoKernelHere(t *testing.T) {
	if _, err := Calls(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := New(Options{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// silent are calls whose failure costs nothing: a kernel without a protocol has no list
// of its sockets.
var silent = map[string]bool{"net.inet.tcp.pcblist": true, "net.inet6.tcp6.pcblist": true, "net.inet.udp.pcblist": true, "net.inet6.udp6.pcblist": true}
