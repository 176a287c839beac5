package linux

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestZombie(t *testing.T) {
	w := newWorld(t)
	p := task{pid: 50, start: 7000, name: "gone", state: "Z", threads: 1, scale: 1}
	w.start(p)
	w.write("proc/50/stat", strings.Replace(statLine(50, p), " 8192000 190 ", " 0 0 ", 1))
	b := w.backend(Options{})
	defer b.Close()
	s := read(t, b, processSources)
	for _, f := range []platform.Field{
		platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessOpenFiles, platform.ProcessDiskReads,
	} {
		if v, ok := s.fields[50][f]; ok {
			t.Errorf("%v of a zombie is %d", f, v)
		}
	}
	if v := s.fields[50]; v[platform.ProcessState] != defunct || v[platform.ProcessCPUUser] != 50*nsPerTick {
		t.Errorf("%v", v)
	}
	if s.misses[pidStatm][platform.Gone] != 1 || s.misses[pidExe][platform.Gone] != 1 {
		t.Errorf("misses %v", s.misses)
	}
	w.write("proc/50/stat", strings.Replace(statLine(50, p), ") Z ", ") X ", 1))
	if s := read(t, b, processSources); s.fields[50] != nil || s.misses[pidStat][platform.Gone] != 1 {
		t.Errorf("a dead process gave %v, misses %v", s.fields[50], s.misses)
	}
}

// The first thread of a process may end before the others: that is no zombie.
func TestFirstThreadEnded(t *testing.T) {
	w := newWorld(t)
	p := task{pid: 50, start: 7000, name: "rest", state: "Z", threads: 3, scale: 1}
	w.start(p)
	b := w.backend(Options{})
	defer b.Close()
	s := read(t, b, processSources)
	if got := s.fields[50][platform.ProcessSwitchesVoluntary]; got != 30 {
		t.Errorf("%d switches, want 30", got)
	}
	if v, ok := s.fields[50][platform.ProcessOpenFiles]; ok {
		t.Errorf("%d open files, which the kernel did not say", v)
	}
}

func TestKernelThread(t *testing.T) {
	w := newWorld(t)
	p := task{pid: 2, start: 1, name: "kthreadd", threads: 1, scale: 1}
	w.start(p)
	w.write("proc/2/stat", strings.Replace(statLine(2, p), " 8192000 190 ", " 0 0 ", 1))
	w.write("proc/2/statm", "0 0 0 0 0 0 0\n")
	w.write("proc/2/status", "Name:\tkthreadd\nPPid:\t0\nUid:\t0\t0\t0\t0\nThreads:\t1\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t0\n")
	w.write("proc/2/cmdline", "")
	w.write("proc/2/environ", "")
	w.remove("proc/2/exe")
	b := w.backend(Options{})
	defer b.Close()
	for range 2 {
		s := read(t, b, processSources)
		for _, f := range []platform.Field{platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual} {
			if v, ok := s.fields[2][f]; ok {
				t.Errorf("%v of a kernel thread is %d", f, v)
			}
		}
		for _, source := range []int{pidExe, pidCmdline} {
			if s.misses[source][platform.Unsupported] != 1 {
				t.Errorf("misses %v", s.misses)
			}
		}
		if len(s.fields[2]) < 10 {
			t.Errorf("%v", s.fields[2])
		}
	}
}

func TestDenied(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	w.before = func(_ *world, _ int, _, path string) error {
		if path == "/proc/42/io" {
			return fs.ErrPermission
		}
		return nil
	}
	s := read(t, b, processSources)
	for _, f := range []platform.Field{platform.ProcessDiskReads, platform.ProcessDiskReadBytes} {
		if v, ok := s.fields[42][f]; ok {
			t.Errorf("%v is %d", f, v)
		}
	}
	if len(s.misses) != 1 || s.misses[pidIO][platform.Denied] != 1 || len(s.fields[42]) != len(wanted(firstOf42))-6 {
		t.Errorf("misses %v, %d fields", s.misses, len(s.fields[42]))
	}
}

// A kernel without I/O accounting has no io file: its processes are not gone.
func TestMissingFile(t *testing.T) {
	w := newWorld(t)
	w.remove("proc/43/io")
	b := w.backend(Options{})
	defer b.Close()
	if s := read(t, b, processSources); s.misses[pidIO][platform.Unsupported] != 1 || len(s.misses) != 1 {
		t.Errorf("misses %v", s.misses)
	}
}

func TestIowait(t *testing.T) {
	tests := []struct {
		switched string // task_delayacct
		ticks    string
		want     bool
	}{
		{"1\n", "6", true}, {"1\n", "0", true}, {"0\n", "6", false}, {"0\n", "0", false}, {"", "6", true}, {"", "0", false},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.write("proc/sys/kernel/task_delayacct", test.switched)
		if test.switched == "" {
			w.remove("proc/sys/kernel/task_delayacct")
		}
		w.write("proc/43/stat", strings.Replace(statLine(43, only43), " 18 0\n", " "+test.ticks+" 0\n", 1))
		b := w.backend(Options{})
		_, ok := read(t, b, statAlone).fields[43][platform.ProcessCPUIowait]
		if ok != test.want {
			t.Errorf("task_delayacct %q, %s ticks: %v", test.switched, test.ticks, ok)
		}
		b.Close()
	}
}

// A start after the pass's own time is of a process born since: no uptime is
// better than a wrong one.
func TestUptimeOfNewborn(t *testing.T) {
	w := newWorld(t)
	w.write("proc/uptime", "59.99 1.00\n")
	b := w.backend(Options{})
	defer b.Close()
	s := read(t, b, statAlone)
	if v, ok := s.fields[43][platform.ProcessUptime]; ok {
		t.Errorf("uptime %d", v)
	}
	if v := s.fields[42][platform.ProcessUptime]; v != 999*nsPerTick {
		t.Errorf("uptime %d", v)
	}
}

func TestOpenFilesByWalk(t *testing.T) {
	w := newWorld(t)
	for _, pid := range []string{"1", "42", "43"} {
		w.find("proc/" + pid + "/fd").stat.Size = 0 // Linux before 6.2
	}
	b := w.backend(Options{})
	defer b.Close()
	if b.sized {
		t.Fatal("took a size of 0 for a count")
	}
	if got := read(t, b, 1<<pidFD).fields[42][platform.ProcessOpenFiles]; got != 10 {
		t.Errorf("%d open files, want 10", got)
	}
}
