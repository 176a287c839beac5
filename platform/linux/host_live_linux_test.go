package linux

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// liveHost is a backend over this machine.
func liveHost(t testing.TB) *backend {
	t.Helper()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.(*backend)
}

// tool runs a program that tells what we should tell. A machine without it has
// nothing to compare with.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s on this machine: %v", name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// near fails if two readings of a moving quantity are further apart than allowed.
func near(t *testing.T, what string, got, want, slack uint64) {
	t.Helper()
	if max(got, want)-min(got, want) > slack {
		t.Errorf("%s = %d, want %d within %d", what, got, want, slack)
	}
}

// The estimate for kernels without their own is near the kernel's own.
func TestLiveMemoryEstimate(t *testing.T) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Skip(err)
	}
	zones, err := os.ReadFile("/proc/zoneinfo")
	if err != nil {
		t.Skip(err)
	}
	m := decodeMeminfo(b)
	own, ok := m.get(memAvailable)
	low, lowKnown := decodeZoneinfo(zones)
	if !ok || own == 0 || !lowKnown {
		t.Skip("the kernel has no estimate of its own")
	}
	estimate, _ := m.estimate(low*uint64(os.Getpagesize()), true)
	total, _ := m.get(memTotal)
	near(t, "available", estimate, own, total/20)
}

// Work that getrusage counts is in the host's times too.
func TestLiveCPUTimeAgainstGetrusage(t *testing.T) {
	b := liveHost(t)
	busy := func() uint64 {
		got := readTree(t, b, sourcesOf(fromStat)).of(platform.Host)[0].fields
		return got[platform.HostCPUUser] + got[platform.HostCPUNice] + got[platform.HostCPUSystem]
	}
	before, own := busy(), used(t)
	for used(t)-own < 200*time.Millisecond {
	}
	grown := time.Duration(busy() - before)
	if ours := used(t) - own; grown < ours-time.Duration(2*runtime.NumCPU())*tickNanos-50*time.Millisecond {
		t.Errorf("the host was busy for %v, this process alone for %v", grown, ours)
	}
}

// used returns the CPU time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestLiveCPUsAddUp(t *testing.T) {
	c := readTree(t, liveHost(t), sourcesOf(fromStat))
	host := c.of(platform.Host)[0].fields
	var user uint64
	for _, cpu := range c.of(platform.CPU) {
		user += cpu.fields[platform.CPUUser]
	}
	cpus := uint64(len(c.of(platform.CPU)))
	near(t, "user time of all CPUs", user, host[platform.HostCPUUser], (cpus+1)*tickNanos)
	if host[platform.HostCPULogical] != cpus {
		t.Errorf("%d CPUs of %d", cpus, host[platform.HostCPULogical])
	}
	out := strings.TrimSpace(tool(t, "getconf", "_NPROCESSORS_ONLN"))
	if want := strconv.FormatUint(cpus, 10); out != want {
		t.Errorf("%s CPUs, getconf says %s", want, out)
	}
}

func TestLiveUptimeAndTexts(t *testing.T) {
	c := readTree(t, liveHost(t), everything&hostOnly)
	host := c.of(platform.Host)[0]
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		t.Skip(err)
	}
	near(t, "uptime", host.fields[platform.HostUptime], uint64(info.Uptime)*1e9, 3e9)
	near(t, "load", host.fields[platform.HostLoad1], uint64(info.Loads[0])*100>>16, 200)
	name, err := os.Hostname()
	if err != nil || host.texts[platform.HostName] != name {
		t.Errorf("host name %q, os.Hostname says %q, %v", host.texts[platform.HostName], name, err)
	}
	if release := strings.TrimSpace(tool(t, "uname", "-r")); host.texts[platform.OSBuild] != release {
		t.Errorf("kernel %q, uname says %q", host.texts[platform.OSBuild], release)
	}
	if host.texts[platform.HostArch] == "" || host.texts[platform.OSType] != "linux" {
		t.Errorf("%q", host.texts)
	}
}

// Every lock that is taken is one more.
func TestLiveLocks(t *testing.T) {
	b := liveHost(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "locked"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	count := func() (n uint64) {
		for _, g := range readTree(t, b, sourcesOf(fromLocks)).of(platform.Lock) {
			n += g.fields[platform.LockFlockWrite]
		}
		return n
	}
	before := count()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Skip(err)
	}
	if after := count(); after != before+1 {
		t.Errorf("%d locks, and %d with one more", before, after)
	}
}

// A steady pass allocates nothing. One in which a device, a sensor or a container has
// come or gone may, so that a machine at work is watched until it rests for a moment.
func TestLivePassAllocates(t *testing.T) {
	b := liveHost(t)
	r := &reader{b, t.Context()}
	counts := &counter{}
	set := everything &^ sourcesOf(fromMounts) // the system call copies each path
	read := func() {
		if err := r.readHost(set, 0, counts); err != nil {
			t.Fatal(err)
		}
	}
	read()
	n := testing.AllocsPerRun(50, read)
	for tries := 0; n > 0 && tries < 200; tries++ {
		time.Sleep(50 * time.Millisecond)
		n = testing.AllocsPerRun(10, read)
	}
	if n > 0 {
		t.Errorf("%v allocations in a pass", n)
	}
}

func BenchmarkReadHost(b *testing.B) {
	backend := liveHost(b)
	r := &reader{backend, b.Context()}
	counts := &counter{}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.readHost(everything, 0, counts); err != nil {
			b.Fatal(err)
		}
	}
}
