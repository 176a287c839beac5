package linux

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// TestMain is also the child of a test: it waits for its input to end.
func TestMain(m *testing.M) {
	if os.Getenv("PIDOMETER_TEST_CHILD") == "1" {
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}
	if which := os.Getenv(threadsVariable); which != "" {
		beThreads(which)
	}
	if each := os.Getenv(burnVariable); each != "" {
		beBurner(each)
	}
	os.Exit(m.Run())
}

// machine opens the backend of this machine.
func machine(t testing.TB) *backend {
	t.Helper()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b.(*backend)
}

// own reads this process.
func own(t testing.TB, b *backend) map[platform.Field]uint64 {
	t.Helper()
	s, err := readOne(t, b, platform.Self, processSources)
	if err != nil {
		t.Fatal(err)
	}
	return s.fields[uint64(os.Getpid())]
}

func rusage(t testing.TB) syscall.Rusage {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// between fails unless low <= v <= high.
func between(t *testing.T, name string, low, v, high uint64) {
	t.Helper()
	if v < low || v > high {
		t.Errorf("%s is %d, want %d to %d", name, v, low, high)
	}
}

func TestLiveRusage(t *testing.T) {
	b := machine(t)
	before := rusage(t)
	s := own(t, b)
	after := rusage(t)
	// User and system are each rounded down and split by samples, and what a thread
	// has used since its last tick is told to the one and not yet to the other.
	const slack = 5 * nsPerTick
	total := s[platform.ProcessCPUUser] + s[platform.ProcessCPUSystem]
	between(t, "CPU time", uint64(max(before.Utime.Nano()+before.Stime.Nano()-slack, 0)), total,
		uint64(after.Utime.Nano()+after.Stime.Nano()+slack))
	between(t, "minor faults", uint64(before.Minflt), s[platform.ProcessFaultsMinor], uint64(after.Minflt))
	between(t, "major faults", uint64(before.Majflt), s[platform.ProcessFaultsMajor], uint64(after.Majflt))
	// The maximum is kept without what each CPU has counted and not yet handed in.
	between(t, "memory", 1<<20, s[platform.ProcessMemoryRSS], uint64(after.Maxrss)<<10+uint64(runtime.NumCPU())<<22)
	between(t, "user", uint64(os.Geteuid()), s[platform.ProcessUser], uint64(os.Geteuid()))
	between(t, "parent", uint64(os.Getppid()), s[platform.ProcessParent], uint64(os.Getppid()))
	between(t, "CPUs allowed", uint64(runtime.NumCPU()), s[platform.ProcessCPUAllowed], uint64(runtime.NumCPU()))
	between(t, "uptime", 0, s[platform.ProcessUptime], uint64(10*time.Minute))
}

func TestLiveTexts(t *testing.T) {
	s, err := readOne(t, machine(t), platform.Self, processSources)
	if err != nil {
		t.Fatal(err)
	}
	texts := s.texts[uint64(os.Getpid())]
	exe, _ := os.Executable()
	comm, _ := os.ReadFile("/proc/self/comm")
	want := map[platform.Text]string{
		platform.ProcessExecutable: exe,
		platform.ProcessArguments:  strings.Join(os.Args, "\x00") + "\x00",
		platform.ProcessCommand:    strings.TrimSuffix(string(comm), "\n"),
	}
	for text, v := range want {
		if texts[text] != v {
			t.Errorf("%v is %q, want %q", text, texts[text], v)
		}
	}
}

func TestLiveOpenFiles(t *testing.T) {
	b := machine(t)
	before := own(t, b)[platform.ProcessOpenFiles]
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := own(t, b)[platform.ProcessOpenFiles]; after != before+10 {
		t.Errorf("%d open files before, %d with ten more", before, after)
	}
	b.sized = false
	// The walk itself has one more open.
	if walked := own(t, b)[platform.ProcessOpenFiles]; walked != before+11 {
		t.Errorf("%d open files by a walk, want %d", walked, before+11)
	}
}

func TestLiveMemory(t *testing.T) {
	b := machine(t)
	const size = 64 << 20
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(memory)
	debug.FreeOSMemory() // or the runtime gives some back meanwhile
	before := own(t, b)
	for i := 0; i < size; i += 4096 {
		memory[i] = 1
	}
	after := own(t, b)
	growth := after[platform.ProcessMemoryRSS] - before[platform.ProcessMemoryRSS]
	between(t, "growth of memory", size-size/32, growth, size+size/4)
	if after[platform.ProcessFaultsMinor] == before[platform.ProcessFaultsMinor] {
		t.Error("no faults")
	}
}

func TestLiveCPU(t *testing.T) {
	b := machine(t)
	start := cpuTime()
	before := own(t, b)
	for cpuTime()-start < 100_000_000 {
	}
	after := own(t, b)
	end := cpuTime()
	grew := after[platform.ProcessCPUUser] + after[platform.ProcessCPUSystem] -
		before[platform.ProcessCPUUser] - before[platform.ProcessCPUSystem]
	between(t, "growth of CPU time", 100_000_000-2*nsPerTick, grew, uint64(end-start)+2*nsPerTick)
}

// walkSwitches sums what all threads show, by the plainest means.
func walkSwitches(t *testing.T) (sum uint64) {
	t.Helper()
	files, _ := filepath.Glob("/proc/self/task/*/status")
	for _, file := range files {
		b, _ := os.ReadFile(file)
		for line := range strings.Lines(string(b)) {
			key, value, _ := strings.Cut(line, ":")
			if key == "voluntary_ctxt_switches" || key == "nonvoluntary_ctxt_switches" {
				v, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += v
			}
		}
	}
	return sum
}

func TestLiveSwitches(t *testing.T) {
	b := machine(t)
	done := make(chan bool)
	for range 4 {
		go func() {
			runtime.LockOSThread()
			<-done
		}()
	}
	time.Sleep(20 * time.Millisecond)
	before := walkSwitches(t)
	s := own(t, b)
	after := walkSwitches(t)
	between(t, "switches", before, s[platform.ProcessSwitchesVoluntary]+s[platform.ProcessSwitchesInvoluntary], after)
	close(done) // the threads end with their goroutines
	time.Sleep(50 * time.Millisecond)
	later := own(t, b)
	for _, f := range []platform.Field{platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary} {
		if later[f] < s[f] {
			t.Errorf("%v fell from %d to %d when threads ended", f, s[f], later[f])
		}
	}
}

// child starts this test again as a process that waits.
func child(t *testing.T) (cmd *exec.Cmd, end func()) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PIDOMETER_TEST_CHILD=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd, func() { in.Close() }
}

func TestLiveChild(t *testing.T) {
	b := machine(t)
	cmd, end := child(t)
	key := platform.Key{ID: uint64(cmd.Process.Pid)}
	s, err := readOne(t, b, key, processSources)
	if err != nil || len(s.keys) != 1 {
		t.Fatalf("%v, %v", s.keys, err)
	}
	for k := range s.keys {
		key = k
	}
	if created := b.Boot().Created(key.Start); time.Since(created) > time.Minute || time.Until(created) > 2*time.Second {
		t.Errorf("created %v", created)
	}
	end()
	waitFor(t, func() bool { // a zombie until it is waited for
		s, err := readOne(t, b, key, processSources)
		return err == nil && s.fields[key.ID][platform.ProcessState] == defunct && s.misses[pidStatm][platform.Gone] == 1
	})
	cmd.Wait()
	for _, set := range []platform.SourceSet{statAlone, processSources} {
		if s, err := readOne(t, b, key, set); !errors.Is(err, os.ErrProcessDone) || len(s.keys) > 0 {
			t.Errorf("%v, %v", s.keys, err)
		}
	}
}

// The kernel opens /proc/[tid] as if it were a process.
func TestLiveThreadIsNoProcess(t *testing.T) {
	b := machine(t)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		id, err := strconv.ParseUint(task.Name(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s, err := readOne(t, b, platform.Key{ID: id}, processSources)
		if first := id == uint64(os.Getpid()); first != (err == nil) || !first && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%d of %d: %v, %v", id, os.Getpid(), s.keys, err)
		}
	}
}

// A handle of an ended process names nobody. All else rests on this.
func TestLiveHandleOfEnded(t *testing.T) {
	k, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	proc, err := k.OpenRoot("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(proc)
	cmd, end := child(t)
	dir, err := k.OpenDir(proc, []byte(strconv.Itoa(cmd.Process.Pid)+"\x00"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(dir)
	stat, err := k.Open(dir, []byte("stat\x00"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(stat)
	end()
	cmd.Wait()
	if _, err := k.Open(dir, []byte("stat\x00")); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("open gave %v", err)
	}
	if _, err := k.Read(stat, make([]byte, 100)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("read gave %v", err)
	}
	if _, err := k.Stat(dir, []byte("task\x00")); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stat gave %v", err)
	}
}

// waitFor waits for what is certain to come. The deadline ends a test that would hang;
// no machine is so busy that what it waits for takes as long.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

func TestLiveDeletedExecutable(t *testing.T) {
	for _, name := range []string{"program", "program (deleted)"} {
		file := filepath.Join(t.TempDir(), name)
		content, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o755); err != nil {
			t.Fatal(err)
		}
		args := os.Args[0]
		os.Args[0] = file
		cmd, end := child(t)
		os.Args[0] = args
		key := platform.Key{ID: uint64(cmd.Process.Pid)}
		exe := func() string {
			s, err := readOne(t, machine(t), key, 1<<pidExe)
			if err != nil {
				t.Fatal(err)
			}
			return s.texts[key.ID][platform.ProcessExecutable]
		}
		if got := exe(); got != file {
			t.Errorf("%q, want %q", got, file)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if got := exe(); got != file {
			t.Errorf("%q when deleted, want %q", got, file)
		}
		end()
		cmd.Wait()
	}
}

// Nothing stays open, however many passes there were.
func TestLiveHandles(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := count()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	read(t, b, processSources)
	during := count()
	for range 20 {
		read(t, b, processSources)
	}
	if n := count(); n != during {
		t.Errorf("%d handles after one pass, %d after twenty more", during, n)
	}
	b.Close()
	if n := count(); n != before {
		t.Errorf("%d handles before, %d after", before, n)
	}
}

func TestLiveKernelAllocatesNothing(t *testing.T) {
	k, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	root, err := k.OpenRoot("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(root)
	stat, fd, exe, task, none := []byte("stat\x00"), []byte("fd\x00"), []byte("exe\x00"), []byte("task\x00"), []byte("none\x00")
	buf := make([]byte, 4096)
	calls := func() {
		dir, _ := k.OpenDir(root, task)
		list, _ := k.Open(root, task)
		k.ReadDir(list, buf)
		file, _ := k.Open(root, stat)
		k.Read(file, buf)
		k.Pread(file, buf, 0)
		k.Stat(root, fd)
		k.ReadLink(root, exe, buf)
		k.Open(root, none)
		k.Clocks()
		k.Close(file)
		k.Close(list)
		k.Close(dir)
	}
	if n := testing.AllocsPerRun(100, calls); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLiveOldStat(t *testing.T) {
	k, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	root, err := k.OpenRoot("/")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(root)
	for _, path := range []string{"etc/passwd\x00", "proc/self/task\x00", "nowhere\x00"} {
		want, wantErr := k.Stat(root, []byte(path))
		got, err := oldStat(root, []byte(path))
		if got != want || !errors.Is(err, wantErr) {
			t.Errorf("%q: %v, %v, want %v, %v", path, got, err, want, wantErr)
		}
	}
}

// A steady pass over the real kernel allocates its reader and nothing else; what
// comes and goes meanwhile may add some.
func TestLivePassAllocations(t *testing.T) {
	b := machine(t)
	var c count
	walk(t, b, processSources, &c)
	if n := testing.AllocsPerRun(10, func() { walk(t, b, processSources, &c) }); n > 20 {
		t.Errorf("%v allocations in a pass over %d processes", n, c.samples/12)
	}
}
