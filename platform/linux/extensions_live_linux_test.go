package linux

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

// What the process asks the kernel about itself is what its files tell.
func TestLiveLimitsAndSizes(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	s := own(t, machine(t))
	if soft := s[platform.ProcessFileLimitSoft]; soft != limit.Cur {
		t.Errorf("soft limit %d, want %d", soft, limit.Cur)
	}
	rss, uss, pss := s[platform.ProcessMemoryRSS], s[platform.ProcessMemoryUSS], s[platform.ProcessMemoryPSS]
	between(t, "USS", 1<<20, uss, pss)
	const slack = 4 << 20 // the heap may grow between two files
	between(t, "PSS", uss, pss, rss+slack)
	parts := s[platform.ProcessMemoryAnonymous] + s[platform.ProcessMemoryFile] + s[platform.ProcessMemoryShmem]
	between(t, "parts of the resident set", parts-min(slack, parts), rss, parts+slack)
	between(t, "CPU", 0, s[platform.ProcessCPUNumber], 8191)
	between(t, "peak", rss-min(slack, rss), s[platform.ProcessMemoryPeak], s[platform.ProcessVirtualPeak])
}

func TestLiveNice(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	b := machine(t)
	for _, nice := range []int{7, -5} {
		if err := unix.Setpriority(unix.PRIO_PROCESS, child.Process.Pid, nice); err != nil {
			t.Skipf("nice %d: %v", nice, err)
		}
		const class, level = 3, 0 // idle
		if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, 1, uintptr(child.Process.Pid), class<<ioprioShift|level); errno != 0 {
			t.Skip(errno)
		}
		s, err := readOne(t, b, platform.Key{ID: uint64(child.Process.Pid)}, processSources)
		if err != nil {
			t.Fatal(err)
		}
		got := s.fields[uint64(child.Process.Pid)]
		if int64(got[platform.ProcessNice]) != int64(nice) {
			t.Errorf("nice %d, want %d", int64(got[platform.ProcessNice]), nice)
		}
		if v, ok := got[platform.ProcessIOPriorityIdle]; !ok && s.misses[pidIOPriority] == nil || v != level {
			t.Errorf("I/O priority %d, %v, misses %v", v, ok, s.misses)
		}
	}
}

// Counters never fall, and one that certainly runs grows.
func TestLiveCountersGrow(t *testing.T) {
	b := liveHost(t)
	set := sourcesOf(fromStat, fromSNMP, fromVmstat)
	read := func() map[platform.Field]uint64 { return readTree(t, b, set).of(platform.Host)[0].fields }
	before := read()
	waitFor(t, func() bool {
		after := read()
		for _, f := range []platform.Field{
			platform.HostContextSwitches, platform.HostInterrupts, platform.HostIPv4Received, platform.HostTCPActiveOpens,
			platform.HostOOMKills, platform.HostSwapInBytes,
		} {
			if old, ok := before[f]; ok && after[f] < old {
				t.Fatalf("%v fell from %d to %d", f, old, after[f])
			}
		}
		return after[platform.HostContextSwitches] > before[platform.HostContextSwitches]
	})
}
