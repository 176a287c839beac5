package main_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/internal/fixture"
	"github.com/pidometer/pidometer/internal/otlptest"
)

var stuckCycles = flag.Int("stuck.cycles", 12, "how many passes of TestStuckMount a file system does not answer in")

// passes returns the times of the passes among requests, in order.
func passes(requests []*otlptest.Request) (times []time.Time) {
	seen := map[uint64]bool{}
	for _, p := range otlptest.Numbers(requests, "system.uptime") {
		if at := p.GetTimeUnixNano(); !seen[at] {
			seen[at] = true
			times = append(times, time.Unix(0, int64(at)))
		}
	}
	return times
}

func atLeastPasses(n int) func([]*otlptest.Request) bool {
	return func(q []*otlptest.Request) bool { return len(passes(q)) >= n }
}

// of returns the values of a metric at the device or mount point of that name.
func of(requests []*otlptest.Request, metric, name string) (values []float64) {
	for _, p := range otlptest.Numbers(requests, metric) {
		for _, a := range p.GetAttributes() {
			if a.GetValue().GetStringValue() == name {
				values = append(values, p.GetAsDouble()+float64(p.GetAsInt()))
			}
		}
	}
	return values
}

// goroutines ends the sidecar with SIGQUIT, upon which the Go runtime shows them all,
// and returns how many there are.
func (s *sidecar) goroutines(t *testing.T) (n int) {
	t.Helper()
	s.Process.Signal(syscall.SIGQUIT)
	s.Wait()
	for block := range strings.SplitSeq(s.log.String(), "\n\n") {
		if strings.HasPrefix(block, "goroutine ") {
			n++
		}
	}
	return n
}

// statfs is the number of the call that asks for the space of a file system; 32-bit
// programs make another (arch/x86/entry/syscalls/syscall_32.tbl, arch/arm/tools/syscall.tbl).
func statfs() int {
	switch runtime.GOARCH {
	case "386":
		return 268
	case "arm":
		return 266
	}
	return unix.SYS_STATFS
}

// wait waits until n threads of the sidecar are in a system call, as it is between
// passes if n questions have no answer. There may never be fewer.
func (s *sidecar) wait(t *testing.T, call, n int) {
	t.Helper()
	got := 0
	for end := time.Now().Add(otlptest.Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got = s.within(t, call); got == n {
			return
		}
		if got < n {
			break
		}
	}
	t.Errorf("%d threads wait, want %d", got, n)
}

// within counts the threads of the sidecar that are in a system call (man 5
// proc_pid_syscall).
func (s *sidecar) within(t *testing.T, call int) (n int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", s.Process.Pid))
	if err != nil || len(files) == 0 {
		t.Fatal("no threads", err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(b), fmt.Sprint(call, " ")) {
			n++
		}
	}
	return n
}

// openUnder counts the descriptors of the sidecar that are open on a path.
func (s *sidecar) openUnder(t *testing.T, path string) (n int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", s.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(to, path) {
			n++
		}
	}
	return n
}

// late returns how many passes came more than half an interval after their time.
func late(times []time.Time, interval time.Duration) (n int) {
	for i := 1; i < len(times); i++ {
		if times[i].Sub(times[i-1]) > interval*3/2 {
			n++
		}
	}
	return n
}

const quick = 250 * time.Millisecond // the least interval at which no pass is shared

// A file system that never answers costs one timeout: it is asked once, everything else
// arrives in every pass, and the end waits for nobody.
func TestStuckMount(t *testing.T) {
	if !apart(t, fmt.Sprint("-stuck.cycles=", *stuckCycles)) {
		return
	}
	point := t.TempDir()
	mountStuck(t, point, unix.S_IFDIR|0o755, fuseInit)
	r := otlptest.Start(t)
	args := []string{"--interval", quick.String(), "--processes", "none"}

	s := sidecarTo(t, r, args...)
	r.WaitFor(t, "the first pass", atLeastPasses(1))
	for n := 10; n < *stuckCycles; n += 10 {
		r.WaitFor(t, "more passes", atLeastPasses(n))
	}
	got := r.WaitFor(t, "all passes", atLeastPasses(*stuckCycles))
	s.wait(t, statfs(), 1)
	if got := of(got, "system.filesystem.usage", point); len(got) != 0 {
		t.Errorf("what did not answer has the usage %v", got)
	}
	if cpu := otlptest.Numbers(got, "system.cpu.time"); len(cpu) < *stuckCycles {
		t.Errorf("%d points of CPU time in %d passes", len(cpu), *stuckCycles)
	}
	if n := s.openUnder(t, point); n != 0 {
		t.Errorf("%d descriptors on the file system", n)
	}
	before, asked := len(passes(r.Requests())), time.Now()
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
	took := time.Since(asked)
	if n := len(passes(r.Requests())); n <= before {
		t.Error("no last pass")
	}
	t.Logf("%d passes every %v, %d of them late; SIGTERM to the end in %v", len(passes(got)), quick, late(passes(got), quick), took)
}

// One thread waits for it, none once it has answered, and then its figures are there.
func TestStuckMountRecovers(t *testing.T) {
	if !apart(t) {
		return
	}
	point := t.TempDir()
	f := mountStuck(t, point, unix.S_IFDIR|0o755, fuseInit)
	var goroutines [2]int
	for i, answers := range []bool{false, true} {
		r := otlptest.Start(t)
		s := sidecarTo(t, r, "--interval", quick.String(), "--processes", "none")
		r.WaitFor(t, "some passes", atLeastPasses(3))
		want := 1
		if answers {
			f.recover()
			r.WaitFor(t, "the recovery", func(q []*otlptest.Request) bool {
				return len(of(q, "system.filesystem.usage", point)) > 0
			})
			if got := of(r.Requests(), "system.filesystem.usage", point); !slices.Contains(got, 1<<29) {
				t.Errorf("usage %v, want half a GiB", got)
			}
			want = 0
		}
		s.wait(t, statfs(), want)
		goroutines[i] = s.goroutines(t)
	}
	t.Logf("%d goroutines while it does not answer, %d then", goroutines[0], goroutines[1])
}

// A file whose driver hangs keeps one goroutine and one descriptor, and the other CPUs
// are told of.
func TestStuckFile(t *testing.T) {
	if !apart(t) {
		return
	}
	root := recorded(t)
	hung, fine := frequencyFile(t, root, 0), frequencyFile(t, root, 1)
	for _, path := range []string{hung, fine} {
		if err := os.WriteFile(path, []byte("1800000\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := mountStuck(t, hung, unix.S_IFREG|0o444, fuseOpen)
	r := otlptest.Start(t)
	s := sidecarTo(t, r, "--interval", quick.String(), "--processes", "none", "--root", root)
	got := r.WaitFor(t, "passes", atLeastPasses(8))
	s.wait(t, unix.SYS_READ, 1) // no other file under the root makes anybody wait
	if n := s.openUnder(t, hung); n != 1 {
		t.Errorf("%d descriptors, want one", n)
	}
	if p := otlptest.Numbers(got, "system.cpu.frequency"); len(p) < 8 || p[0].GetAsInt() != 1_800_000_000 {
		t.Errorf("of the other CPU: %v", p)
	}
	f.recover()
	r.WaitFor(t, "the recovery", func(q []*otlptest.Request) bool {
		for _, p := range otlptest.Numbers(q, "system.cpu.frequency") {
			if p.GetAsInt() == 2_400_000_000 {
				return true
			}
		}
		return false
	})
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
	t.Logf("%d passes", len(passes(r.Requests())))
}

// recorded writes the recorded machine to a folder.
func recorded(t *testing.T) (root string) {
	t.Helper()
	archive, err := os.ReadFile("../../../platform/linux/testdata/linux-6.18-amd64.txt")
	if err != nil {
		t.Fatal(err)
	}
	return fixture.Tree(t, archive)
}

// frequencyFile returns where the driver of a CPU tells its frequency.
func frequencyFile(t *testing.T, root string, cpu int) string {
	t.Helper()
	dir := filepath.Join(root, "sys/devices/system/cpu", fmt.Sprint("cpu", cpu), "cpufreq")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "scaling_cur_freq")
}
