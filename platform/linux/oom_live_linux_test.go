package linux

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// hogName looks like the end of what the kernel logs of a process.
const hogName = "a) b\n\\,pid=1,u"

// playHog enters the control group of its argument and eats memory until it is killed,
// or has had a hundred times what it may have.
func playHog() {
	if err := os.WriteFile(os.Args[1], []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.WriteFile("/proc/self/comm", []byte(hogName), 0)
	var eaten [][]byte
	for range 100 * hogLimit >> 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		eaten = append(eaten, b)
	}
	fmt.Println(len(eaten))
	os.Exit(0)
}

const hogLimit = 16 << 20

// smallGroup makes a control group of little memory and returns its name and the file
// that lets a process in.
func smallGroup(t *testing.T) (path, procs string) {
	t.Helper()
	name := fmt.Sprintf("pidometer-test-%d", os.Getpid())
	for _, place := range []struct{ folder, limit, swap string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max", "memory.swap.max"},
	} {
		dir := filepath.Join(place.folder, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Logf("no group: %v", err)
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		if err := os.WriteFile(filepath.Join(dir, place.limit), []byte(strconv.Itoa(hogLimit)), 0); err != nil {
			t.Logf("no limit of memory: %v", err)
			continue
		}
		os.WriteFile(filepath.Join(dir, place.swap), []byte("0"), 0) // where there is swap at all
		return "/" + name, filepath.Join(dir, "cgroup.procs")
	}
	t.Skip("no control group with a limit of memory can be made here")
	return "", ""
}

// feedHog runs a hog to its end, and returns its PID.
func feedHog(t *testing.T, procs string) int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	hog := exec.Command(exe, procs)
	hog.Env = append(os.Environ(), roleVariable+"=hog")
	out, err := hog.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Skipf("the kernel let a process have more than its group may: %v, %s", err, out)
	}
	return hog.Process.Pid
}

func TestLiveOOMKill(t *testing.T) {
	group, procs := smallGroup(t)
	b := machine(t)
	w := watching(t, b, platform.ProcessOOMKilled)
	log := tierOf(t, w, "/dev/kmsg")
	if log.Err != nil {
		t.Skip(log.Err)
	}
	if count := tierOf(t, w, "/proc/vmstat"); !count.Spared && count.Err == nil {
		t.Errorf("the count of kills is listened to beside the log: %+v", count)
	}
	pid := feedHog(t, procs)
	ours := w.(*watch).initialPIDs()
	all := hear(t, w, func(h heard) bool {
		return h.Kind == platform.OccurrencesLost || h.command == hogName && (!ours || h.Key.ID == uint64(pid))
	})
	got := all[len(all)-1]
	if got.Kind == platform.OccurrencesLost {
		t.Skip("somebody fills the kernel's log faster than it is read here")
	}
	// The kernel names groups ten times in five seconds at most (oom_rs in mm/oom_kill.c),
	// and from its own root, not that of a namespace.
	if got.Kind != platform.ProcessOOMKilled || got.cgroup != "" && !strings.HasSuffix(got.cgroup, group) ||
		got.Count != 0 || !ours && got.Key != (platform.Key{}) {
		t.Errorf("%+v, want a process in %s", got, group)
	}
	if rss := got.usage[platform.ProcessMemoryRSS]; rss == 0 || rss > 4*hogLimit {
		t.Errorf("%d bytes were resident of %d", rss, hogLimit)
	}
	if got.usage[platform.ProcessMemoryVirtual] < got.usage[platform.ProcessMemoryRSS] {
		t.Errorf("%v", got.usage)
	}
}

// Without the log, the count tells that there was a kill, at the next Read.
func TestLiveOOMCount(t *testing.T) {
	_, procs := smallGroup(t)
	b := machine(t)
	b.kernel = blind{b.kernel.(Listener), "dev/kmsg"}
	w := watching(t, b, platform.ProcessOOMKilled)
	if count := tierOf(t, w, "/proc/vmstat"); count.Err != nil {
		t.Skip(count.Err)
	}
	feedHog(t, procs)
	kills := uint64(0)
	if err := w.Read(func(o *platform.Occurrence) { kills += o.Count }); err != nil || kills == 0 {
		t.Errorf("%d kills, %v", kills, err)
	}
}

// blind is a kernel that denies a file.
type blind struct {
	Listener
	path string
}

func (k blind) Open(dir int, path []byte) (int, error) {
	if string(path) == k.path+"\x00" {
		return -1, syscall.EPERM
	}
	return k.Listener.Open(dir, path)
}
