package linux

import (
	"bytes"
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

func TestLiveMemoryAgainstFree(t *testing.T) {
	out := tool(t, "free", "-b")
	version := tool(t, "free", "--version")
	var line []uint64
	for l := range strings.Lines(out) {
		if f := strings.Fields(l); len(f) == 7 && f[0] == "Mem:" {
			line = slowNumbers(f[1:], 6) // total used free shared buff/cache available
		}
	}
	if len(line) != 6 {
		t.Skipf("free prints another table: %q", out)
	}
	got := readTree(t, liveHost(t), sourcesOf(fromMeminfo)).of(platform.Host)[0].fields
	const slack = 64 << 20
	if got[platform.HostMemoryTotal] != line[0] {
		t.Errorf("total = %d, free says %d", got[platform.HostMemoryTotal], line[0])
	}
	near(t, "free", got[platform.HostMemoryFree], line[2], slack)
	near(t, "shared", got[platform.HostMemoryShared], line[3], slack)
	near(t, "buffers and cached", got[platform.HostMemoryBuffers]+got[platform.HostMemoryCached], line[4], slack)
	near(t, "available", got[platform.HostMemoryAvailable], line[5], slack)
	if before401(version) {
		t.Logf("%s counts used in the old way", strings.TrimSpace(version))
		return
	}
	near(t, "used", got[platform.HostMemoryUsed], line[1], slack)
}

// before401 reports whether a version of procps is older than 4.0.1.
func before401(version string) bool {
	for _, old := range []string{" 3.", " 4.0.0"} {
		if strings.Contains(version, old) {
			return true
		}
	}
	return false
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

func TestLiveFilesystemsAgainstDf(t *testing.T) {
	out := tool(t, "df", "-B1", "--output=target,size,used,avail")
	table := map[string][]uint64{}
	for l := range strings.Lines(out) {
		if f := strings.Fields(l); len(f) == 4 {
			table[f[0]] = slowNumbers(f[1:], 3)
		}
	}
	for _, g := range readTree(t, liveHost(t), onMounts).of(platform.Filesystem) {
		want, ok := table[g.key.Name]
		if !ok || len(want) != 3 {
			t.Logf("df does not tell of %s", g.key.Name)
			continue
		}
		const slack = 256 << 20
		if g.fields[platform.FilesystemTotal] != want[0] {
			t.Errorf("%s: total %d, df says %d", g.key.Name, g.fields[platform.FilesystemTotal], want[0])
		}
		near(t, g.key.Name+" used", g.fields[platform.FilesystemUsed], want[1], slack)
		near(t, g.key.Name+" free", g.fields[platform.FilesystemFree], want[2], slack)
	}
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

func TestLiveCoresAgainstLscpu(t *testing.T) {
	out := tool(t, "lscpu", "-p=CORE,SOCKET")
	cores := map[string]bool{}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			cores[line] = true
		}
	}
	got := readTree(t, liveHost(t), sourcesOf(fromTopology)).of(platform.Host)[0].fields[platform.HostCPUPhysical]
	if got != uint64(len(cores)) {
		t.Errorf("%d cores, lscpu says %d", got, len(cores))
	}
}

// sysfs has the same counters in files of their own.
func TestLiveInterfacesAgainstSysfs(t *testing.T) {
	b := liveHost(t)
	for _, g := range readTree(t, b, sourcesOf(fromInterfaces)).of(platform.Network) {
		for f, file := range map[platform.Field]string{
			platform.NetworkReceiveBytes: "rx_bytes", platform.NetworkTransmitBytes: "tx_bytes",
			platform.NetworkReceivePackets: "rx_packets", platform.NetworkTransmitPackets: "tx_packets",
			platform.NetworkReceiveErrors: "rx_errors", platform.NetworkTransmitErrors: "tx_errors",
		} {
			content, err := os.ReadFile(filepath.Join("/sys/class/net", g.key.Name, "statistics", file))
			if err != nil {
				t.Skipf("no statistics of %s: %v", g.key.Name, err)
			}
			want, _ := strconv.ParseUint(string(bytes.TrimSpace(content)), 10, 64)
			near(t, g.key.Name+" "+file, g.fields[f], want, 16<<20)
		}
	}
}

func TestLiveDisksAgainstSysfs(t *testing.T) {
	for _, g := range readTree(t, liveHost(t), sourcesOf(fromDiskstats, fromDiskSize)).of(platform.Disk) {
		content, err := os.ReadFile("/sys/block/" + sysName(g.key.Name) + "/stat")
		if err != nil {
			t.Skipf("no stat of %s: %v", g.key.Name, err)
		}
		want := slowNumbers(slowFields(string(content)), 11)
		near(t, g.key.Name+" reads", g.fields[platform.DiskReads], want[0], 10000)
		near(t, g.key.Name+" bytes read", g.fields[platform.DiskReadBytes], want[2]*512, 1<<30)
		near(t, g.key.Name+" writes", g.fields[platform.DiskWrites], want[4], 10000)
		near(t, g.key.Name+" busy", g.fields[platform.DiskIOTime], want[9]*1e6, 10e9)
		if g.fields[platform.DiskSize] == 0 {
			t.Errorf("%s has no size", g.key.Name)
		}
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
	if n := testing.AllocsPerRun(50, read); n > 0 {
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
