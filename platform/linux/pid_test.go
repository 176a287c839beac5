package linux

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const (
	nsPerTick  = 10_000_000
	sleeping   = uint64(platform.StateSleeping)
	defunct    = uint64(platform.StateDefunct)
	user, root = 1000, 0
)

// wanted is what a whole pass tells of a task.
func wanted(p task) map[platform.Field]uint64 {
	k, threads := uint64(p.scale), uint64(p.threads)
	return map[platform.Field]uint64{
		platform.ProcessCPUUser:             50 * k * nsPerTick,
		platform.ProcessCPUSystem:           60 * k * nsPerTick,
		platform.ProcessCPUIowait:           6 * k * nsPerTick,
		platform.ProcessMemoryRSS:           800 * k << 10,
		platform.ProcessMemoryVirtual:       8000 * k << 10,
		platform.ProcessFaultsMinor:         100 * k,
		platform.ProcessFaultsMajor:         10 * k,
		platform.ProcessThreads:             threads,
		platform.ProcessOpenFiles:           5 * k,
		platform.ProcessDiskReadBytes:       4096 * k,
		platform.ProcessDiskWriteBytes:      8192 * k,
		platform.ProcessDiskReads:           3 * k,
		platform.ProcessDiskWrites:          4 * k,
		platform.ProcessSwitchesVoluntary:   10 * k * threads,
		platform.ProcessSwitchesInvoluntary: k * threads,
		platform.ProcessSignalsPending:      k % 2,
		platform.ProcessUptime:              (100_000 - p.start) * nsPerTick,
		platform.ProcessState:               sleeping,
		platform.ProcessParent:              1,
		platform.ProcessUser:                uint64(p.user),
		platform.ProcessCPUAllowed:          4,
	}
}

var (
	firstOf42  = task{pid: 42, start: 5000, name: "a) S 9 (b", threads: 3, user: user, scale: 2}
	secondOf42 = task{pid: 42, start: 5001, name: "next", threads: 2, user: root, scale: 7}
	only43     = task{pid: 43, start: 6000, name: "Uid:\t0\t0\t0", threads: 1, user: root, scale: 3}
)

func TestPass(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for range 2 {
		s := read(t, b, processSources)
		for _, p := range []task{firstOf42, only43} {
			if got, want := s.fields[p.pid], wanted(p); !maps.Equal(got, want) {
				t.Errorf("%d:\n%v, want\n%v", p.pid, got, want)
			}
		}
		texts := map[platform.Text]string{
			platform.ProcessCommand: "a) S 9 (b", platform.ProcessExecutable: "/bin/prog2",
			platform.ProcessArguments: "prog2\x00\x00", platform.ProcessEnvironment: "HOME=/home/2\x00", platform.ProcessOwner: "user",
		}
		if got := s.texts[42]; !maps.Equal(got, texts) {
			t.Errorf("%q, want %q", got, texts)
		}
		if len(s.misses) > 0 || len(s.keys) != 3 {
			t.Errorf("misses %v, samples %v", s.misses, s.keys)
		}
	}
	if boot := b.Boot(); boot.ID != "4a8a5b1e-0000" || boot.Time.Unix() != 1700000000 || boot.Created(6000).Unix() != 1700000060 {
		t.Errorf("boot %v", boot)
	}
}

// Only what the chosen sources declare is set, and each of them alone works.
func TestEachSource(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for i, source := range b.Sources()[:numPidSources] {
		s := read(t, b, platform.SourceSet(0).With(i))
		var declared platform.FieldSet
		for _, g := range source.Gives {
			declared.Add(g.Field)
		}
		for f := range s.fields[42] {
			if !declared.Has(f) {
				t.Errorf("%s set %v", source.Name, f)
			}
		}
		if got := len(s.fields[42]); got != len(source.Gives) {
			t.Errorf("%s set %d fields of %d", source.Name, got, len(source.Gives))
		}
		for text := range s.texts[42] {
			if !slices.Contains(source.Texts, text) {
				t.Errorf("%s set %v", source.Name, text)
			}
		}
		if len(s.texts[42]) != len(source.Texts) {
			t.Errorf("%s set the texts %q", source.Name, s.texts[42])
		}
	}
}

// sourceOf returns the source of a path under /proc, and the PID in it.
func sourceOf(path string) (source int, pid string) {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(parts) < 3 || strings.Trim(parts[2], "0123456789") != "" {
		return -1, ""
	}
	pid = parts[2]
	if len(parts) == 3 {
		return pidStat, pid
	}
	switch parts[3] {
	case "stat":
		return pidStat, pid
	case "statm":
		return pidStatm, pid
	case "status":
		return pidStatus, pid
	case "io":
		return pidIO, pid
	case "fd":
		return pidFD, pid
	case "task":
		return pidTask, pid
	case "exe":
		return pidExe, pid
	case "cmdline":
		return pidCmdline, pid
	case "environ":
		return pidEnviron, pid
	}
	return -1, ""
}

// Every single call of a pass fails in every way: what it was for is missing, for
// the right reason, and all else is there.
func TestFaults(t *testing.T) {
	faults := []struct {
		err error
		why platform.Reason
	}{
		{os.ErrProcessDone, platform.Gone},
		{fs.ErrPermission, platform.Denied},
		{errors.ErrUnsupported, platform.Unsupported},
		{syscall.EIO, platform.Unknown},
		{syscall.EMFILE, platform.Unknown},
	}
	calls := callsOfPass(t)
	for _, fault := range faults {
		for at := 1; at <= calls; at++ {
			faultAt(t, at, fault.err, fault.why)
		}
	}
}

// callsOfPass returns how many calls a second pass makes.
func callsOfPass(t *testing.T) int {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	w.calls = 0
	read(t, b, processSources)
	return w.calls
}

func faultAt(t *testing.T, at int, fault error, why platform.Reason) {
	w := newWorld(t)
	b := w.backend(Options{})
	open := w.leaked()
	w.calls = 0
	var hit string
	w.before = func(_ *world, call int, op, path string) error {
		if call != at {
			return nil
		}
		hit = path
		return fault
	}
	s := newSeen()
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = reader.Read(processSources, s)
	reader.Close()
	w.before = nil
	if got := w.leaked(); got != open {
		t.Fatalf("%v in call %d, %s: %d handles are open, want %d", fault, at, hit, got, open)
	}
	if strings.HasPrefix(hit, "/proc/.") {
		if !errors.Is(err, fault) || len(s.keys) > 0 {
			t.Fatalf("%v of the list gave %v and %d samples", fault, err, len(s.keys))
		}
	} else if err != nil {
		t.Fatalf("%v in call %d, %s: %v", fault, at, hit, err)
	} else {
		checkFault(t, s, hit, why)
	}
	b.Close()
	if n := w.leaked(); n != 0 {
		t.Fatalf("%d handles are left", n)
	}
}

// checkFault checks what a pass told in which the path failed.
func checkFault(t *testing.T, s *seen, path string, why platform.Reason) {
	t.Helper()
	source, pid := sourceOf(path)
	for _, p := range []task{firstOf42, only43} {
		want, got := wanted(p), s.fields[p.pid]
		hit := source >= 0 && (p.pid == 42 && pid == "42" || p.pid == 43 && pid == "43")
		if hit && source == pidStat {
			if got != nil || s.misses[pidStat][why] != 1 {
				t.Fatalf("%s: a sample %v, misses %v", path, got, s.misses)
			}
			continue
		}
		for f, v := range want {
			have, ok := got[f]
			if ok && have == v || hit && mayLack(source, f) || source < 0 && fromMoment(f) {
				continue
			}
			t.Fatalf("%s, %d: %v is %d, %v, want %d", path, p.pid, f, have, ok, v)
		}
	}
	threads := strings.Contains(path, "/task/") // of one thread: the others are summed
	if source > pidStat && pid != "1" && !threads && s.misses[source][why] == 0 {
		t.Fatalf("%s: misses %v", path, s.misses)
	}
}

// mayLack reports whether a fault of a source may cost the field, or leave the
// less exact one of another source.
func mayLack(source int, f platform.Field) bool {
	if source == pidStatus && (f == platform.ProcessSwitchesVoluntary || f == platform.ProcessSwitchesInvoluntary) {
		return true // of the only thread
	}
	for _, g := range pidSources(64)[source].Gives {
		if g.Field == f {
			return true
		}
	}
	return source == pidStatus && f == platform.ProcessUser
}

// fromMoment reports whether a field takes what is read once in a pass.
func fromMoment(f platform.Field) bool {
	return f == platform.ProcessUptime || f == platform.ProcessCPUIowait
}

// Half a file or garbage in it never gives a number that was not there.
func TestDamage(t *testing.T) {
	calls := callsOfPass(t)
	for at := 1; at <= calls; at++ {
		for _, garble := range []bool{false, true} {
			w := newWorld(t)
			b := w.backend(Options{})
			w.calls = 0
			if garble {
				w.garble = at
			} else {
				w.short = at
			}
			s := read(t, b, processSources)
			for _, p := range []task{firstOf42, only43} {
				checkDamage(t, at, garble, wanted(p), s.fields[p.pid])
			}
			b.Close()
			if n := w.leaked(); n != 0 {
				t.Fatalf("%d handles are left", n)
			}
		}
	}
}

func checkDamage(t *testing.T, at int, garble bool, want, got map[platform.Field]uint64) {
	t.Helper()
	for f, v := range got {
		switch f {
		case platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessMemoryRSS:
			if v > want[f] {
				t.Fatalf("call %d, garble %v: %v is %d of %d", at, garble, f, v, want[f])
			}
		default:
			if v != want[f] && !fromMoment(f) {
				t.Fatalf("call %d, garble %v: %v is %d, want %d", at, garble, f, v, want[f])
			}
		}
	}
}

// Before each call of a pass in turn, the process 42 ends and another gets its
// PID. Whatever is told of 42 is of one of them.
func TestReuseInMidPass(t *testing.T) {
	for _, set := range []platform.SourceSet{processSources, statAlone, 1<<pidStat | 1<<pidIO, 1 << etcPasswd} {
		olds, news := 0, 0
		for at := 1; at <= callsOfPass(t); at++ {
			w := newWorld(t)
			b := w.backend(Options{})
			w.calls = 0
			w.before = func(w *world, call int, _, _ string) error {
				if call == at {
					w.start(secondOf42)
				}
				return nil
			}
			s := read(t, b, set)
			b.Close()
			got := s.fields[42]
			switch {
			case s.keys[platform.Key{ID: 42, Start: 5000}]:
				oneOf(t, at, got, wanted(firstOf42))
				olds++
			case s.keys[platform.Key{ID: 42, Start: 5001}]:
				oneOf(t, at, got, wanted(secondOf42))
				news++
			}
		}
		if olds == 0 || news == 0 {
			t.Errorf("%b: saw the first %d times, the second %d times", set, olds, news)
		}
	}
}

func oneOf(t *testing.T, at int, got, want map[platform.Field]uint64) {
	t.Helper()
	for f, v := range got {
		if v > want[f] || v != want[f] && f != platform.ProcessMemoryRSS &&
			f != platform.ProcessSwitchesVoluntary && f != platform.ProcessSwitchesInvoluntary {
			t.Fatalf("call %d: %v is %d, want %d", at, f, v, want[f])
		}
	}
}

// opens returns the calls of a pass that name a process, by kind.
func opens(w *world, pid string) (dirs, files, others int) {
	for _, call := range w.log {
		op, path, _ := strings.Cut(call, " ")
		if !strings.HasPrefix(path, "/proc/"+pid) {
			continue
		}
		switch op {
		case "dir":
			dirs++
		case "open":
			files++
		case "stat", "link":
			others++
		}
	}
	return dirs, files, others
}

// Each file is opened once, and a process is pinned only if it has two to read.
func TestOpensPerProcess(t *testing.T) {
	tests := []struct {
		name                string
		set                 platform.SourceSet
		pid                 string
		dirs, files, others int
	}{
		{"stat alone by path", statAlone, "43", 0, 1, 0},
		{"statm needs stat", 1 << pidStatm, "43", 1, 2, 0},
		{"four", 1<<pidStat | 1<<pidStatus | 1<<pidIO | 1<<pidFD, "43", 1, 3, 1},
		{"status serves three", 1<<pidStat | 1<<pidStatus | 1<<pidTask | 1<<etcPasswd, "43", 1, 2, 0},
		{"one thread", 1<<pidStat | 1<<pidTask, "43", 1, 2, 0},
		{"three threads", 1<<pidStat | 1<<pidTask, "42", 4, 8, 0},
		{"known program", 1<<pidStat | 1<<pidExe | 1<<pidCmdline, "43", 1, 1, 0},
		{"owner", 1<<pidStat | 1<<etcPasswd, "43", 1, 1, 1},
	}
	for _, test := range tests {
		w := newWorld(t)
		b := w.backend(Options{})
		read(t, b, test.set)
		w.log = []string{}
		read(t, b, test.set)
		dirs, files, others := opens(w, test.pid)
		if dirs != test.dirs || files != test.files || others != test.others {
			t.Errorf("%s: %d handles, %d files, %d others, want %d, %d, %d\n%s", test.name,
				dirs, files, others, test.dirs, test.files, test.others, strings.Join(w.log, "\n"))
		}
		b.Close()
	}
}

// What every process needs is read once in a pass.
func TestOncePerPass(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	w.log = []string{}
	read(t, b, processSources)
	for _, call := range []string{"open /proc/uptime", "open /proc/sys/kernel/task_delayacct", "stat /etc/passwd", "open /proc/."} {
		n := 0
		for _, logged := range w.log {
			if logged == call {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d times %s", n, call)
		}
	}
}

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
	if len(s.misses) != 1 || s.misses[pidIO][platform.Denied] != 1 || len(s.fields[42]) != len(wanted(firstOf42))-4 {
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

func TestOneProcess(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for _, set := range []platform.SourceSet{statAlone, processSources} {
		for _, start := range []uint64{0, 5000} {
			s, err := readOne(t, b, platform.Key{ID: 42, Start: start}, set)
			if err != nil || !s.keys[platform.Key{ID: 42, Start: 5000}] {
				t.Errorf("start %d: %v, %v", start, s.keys, err)
			}
		}
		for _, key := range []platform.Key{{ID: 42, Start: 5001}, {ID: 44}, {ID: 44, Start: 1}} {
			s, err := readOne(t, b, key, set)
			if !errors.Is(err, os.ErrProcessDone) || len(s.keys) > 0 {
				t.Errorf("%v: %v, %v", key, s.keys, err)
			}
		}
	}
	if s, err := readOne(t, b, platform.Key{ID: 42}, 0); err != nil || len(s.keys) > 0 {
		t.Errorf("no sources: %v, %v", s.keys, err)
	}
}

// Under another root the PID 1 is somebody else, and self is still self.
func TestSelf(t *testing.T) {
	w := newWorld(t)
	host := newWorld(t)
	host.start(task{pid: 1, start: 3, name: "systemd", threads: 1, scale: 9})
	host.find("proc").children["self"] = host.find("proc/43")
	host.root.parent = w.root
	w.root.children["host"] = host.root
	b := w.backend(Options{Root: "/host"})
	defer b.Close()
	own, err := readOne(t, b, platform.Self, processSources)
	if err != nil {
		t.Fatal(err)
	}
	if own.texts[1][platform.ProcessCommand] != "own" || !own.keys[platform.Key{ID: 1, Start: 10}] {
		t.Errorf("self is %v, %q", own.keys, own.texts[1])
	}
	if all := read(t, b, processSources); all.texts[1][platform.ProcessCommand] != "systemd" {
		t.Errorf("1 is %q", all.texts[1])
	}
}

func TestSelfWithoutProc(t *testing.T) {
	w := newWorld(t)
	w.root.children["tree"] = newWorld(t).root
	w.remove("proc")
	b := w.backend(Options{Root: "/tree"})
	defer b.Close()
	if _, err := readOne(t, b, platform.Self, processSources); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("self gave %v", err)
	}
	if s := read(t, b, statAlone); len(s.keys) != 3 {
		t.Errorf("%d processes", len(s.keys))
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(w *world)
		root   string
		want   error
	}{
		{"no root", func(*world) {}, "/nowhere", fs.ErrNotExist},
		{"no proc", func(w *world) { w.remove("proc") }, "", errNotRoot},
		{"proc not mounted", func(w *world) { w.remove("proc/stat") }, "", errNotRoot},
		{"not allowed", func(w *world) {
			w.before = func(_ *world, _ int, op, path string) error {
				if path == "/proc" {
					return fs.ErrPermission
				}
				return nil
			}
		}, "", fs.ErrPermission},
	}
	for _, test := range tests {
		w := newWorld(t)
		test.change(w)
		b, err := New(Options{Root: test.root, Kernel: w})
		if !errors.Is(err, test.want) || b != nil {
			t.Errorf("%s: %v, %v", test.name, b, err)
		}
		if n := w.leaked(); n != 0 {
			t.Errorf("%s: %d handles are left", test.name, n)
		}
		t.Log(err)
	}
	w := newWorld(t)
	w.write("proc/stat", "cpu 1\n")
	if _, err := New(Options{Kernel: w}); err == nil || !strings.Contains(err.Error(), "btime") {
		t.Errorf("without btime: %v", err)
	}
}

func TestOnePassAtATime(t *testing.T) {
	b := newWorld(t).backend(Options{})
	first, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second reader gave %v", err)
	}
	done := make(chan platform.Reader)
	go func() {
		second, _ := b.Begin(context.Background())
		done <- second
	}()
	first.Close()
	first.Close()
	second := <-done
	if err := first.Read(statAlone, newSeen()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed reader gave %v", err)
	}
	if err := first.Process(platform.Self, statAlone, newSeen()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed reader gave %v", err)
	}
	second.Close()
	b.Close()
	if _, err := b.Begin(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed backend gave %v", err)
	}
}

func TestSinkStops(t *testing.T) {
	b := newWorld(t).backend(Options{})
	defer b.Close()
	s := newSeen()
	s.most = 1
	reader, _ := b.Begin(t.Context())
	defer reader.Close()
	if err := reader.Read(processSources, s); err != nil || len(s.keys) != 1 {
		t.Errorf("%d samples, %v", len(s.keys), err)
	}
}

func TestContextEnds(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	reader, _ := b.Begin(ctx)
	defer reader.Close()
	w.before = func(_ *world, _ int, _, path string) error {
		if strings.HasPrefix(path, "/proc/42") {
			cancel()
		}
		return nil
	}
	s := newSeen()
	if err := reader.Read(processSources, s); !errors.Is(err, context.Canceled) || len(s.keys) > 2 {
		t.Errorf("%d samples, %v", len(s.keys), err)
	}
	if err := reader.Process(platform.Self, statAlone, s); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
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

// A copy of /proc on a disk has sizes and owners of its own.
func TestRecordedTree(t *testing.T) {
	w := newWorld(t)
	tree := newWorld(t)
	tree.find("proc").stat.Size = 4096
	tree.find("proc/42/fd").stat.Size = 4096
	tree.find("proc/42/task").stat.UID = 501
	w.root.children["tree"] = tree.root
	b := w.backend(Options{Root: "/tree"})
	defer b.Close()
	s := read(t, b, 1<<pidFD|1<<etcPasswd)
	if got := s.fields[42][platform.ProcessOpenFiles]; got != 10 {
		t.Errorf("%d open files, want 10", got)
	}
	if got := s.fields[42][platform.ProcessUser]; got != user {
		t.Errorf("user %d", got)
	}
}

func TestDeletedExecutable(t *testing.T) {
	tests := []struct{ link, there, want string }{
		{"/bin/cat", "", "/bin/cat"},
		{"/bin/cat (deleted)", "", "/bin/cat"},
		{"/bin/cat (deleted)", "/bin/cat (deleted)", "/bin/cat (deleted)"},
		{"/bin/cat (deleted) (deleted)", "", "/bin/cat (deleted)"},
		{"/memfd:x (deleted)", "", "/memfd:x"},
		{"/bin/\xff\n", "", "/bin/\xff\n"},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.symlink("proc/43/exe", test.link)
		if test.there != "" {
			w.write("proc/43/root"+test.there, "")
		}
		b := w.backend(Options{})
		if got := read(t, b, 1<<pidExe).texts[43][platform.ProcessExecutable]; got != test.want {
			t.Errorf("%q gave %q, want %q", test.link, got, test.want)
		}
		b.Close()
	}
}

func TestLongArguments(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for _, n := range []int{0, 1, shortArgs - 1, shortArgs, shortArgs + 1, 200_000, mostArgs, mostArgs + 5} {
		args := strings.Repeat("x\x00", n/2+1)[:n]
		w.write("proc/43/cmdline", args)
		w.start(task{pid: 43, start: 6001 + uint64(n), name: "new", threads: 1, scale: 3})
		w.write("proc/43/cmdline", args)
		for range 2 {
			s := read(t, b, 1<<pidCmdline|1<<etcPasswd)
			got, ok := s.texts[43][platform.ProcessArguments]
			if ok != (n > 0) || got != args[:min(n, mostArgs)] {
				t.Errorf("%d bytes: %d, %v", n, len(got), ok)
			}
		}
	}
	if n := len(b.known[place{false, 43}].args); n > shortArgs {
		t.Errorf("%d bytes are remembered", n)
	}
}

// A program is asked for again when its name changed, and not before.
func TestProgramRemembered(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	set := platform.SourceSet(1<<pidExe | 1<<pidCmdline)
	read(t, b, set)
	w.symlink("proc/43/exe", "/bin/new")
	w.write("proc/43/cmdline", "new\x00")
	if got := read(t, b, set).texts[43]; got[platform.ProcessExecutable] != "/bin/prog3" {
		t.Errorf("%q was read again", got)
	}
	renamed := only43
	renamed.name = "new"
	w.write("proc/43/stat", statLine(43, renamed))
	got := read(t, b, set).texts[43]
	if got[platform.ProcessExecutable] != "/bin/new" || got[platform.ProcessArguments] != "new\x00" {
		t.Errorf("%q was kept", got)
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	read(t, b, 1<<pidExe)
	if len(b.known) != 3 {
		t.Fatalf("%d are remembered, want 3", len(b.known))
	}
	w.end(42)
	if _, err := readOne(t, b, platform.Key{ID: 43}, 1<<pidExe); err != nil || len(b.known) != 3 {
		t.Errorf("%d are remembered, want 3; %v", len(b.known), err)
	}
	read(t, b, statAlone)
	if len(b.known) != 2 {
		t.Errorf("%d are remembered, want 2", len(b.known))
	}
	w.end(43)
	if _, err := readOne(t, b, platform.Key{ID: 43}, 1<<pidExe); err == nil || len(b.known) != 1 {
		t.Errorf("%d are remembered, want 1; %v", len(b.known), err)
	}
}

// A process that can't be read for once keeps its sums.
func TestKeptWhileUnreadable(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	read(t, b, 1<<pidTask)
	w.before = func(_ *world, _ int, op, _ string) error {
		if op == "dir" {
			return syscall.EMFILE
		}
		return nil
	}
	read(t, b, 1<<pidTask)
	w.before = nil
	w.remove("proc/42/task/1042")
	if got := read(t, b, 1<<pidTask).fields[42][platform.ProcessSwitchesVoluntary]; got != 60 {
		t.Errorf("%d switches, want 60", got)
	}
}

func TestOwnersReload(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	owner := func() string { return read(t, b, 1<<etcPasswd).texts[42][platform.ProcessOwner] }
	if got := owner(); got != "user" {
		t.Errorf("owner %q", got)
	}
	w.log = []string{}
	owner()
	if slices.Contains(w.log, "open /etc/passwd") {
		t.Error("read again without a change")
	}
	w.write("etc/passwd", "resu:x:1000:1000::/:\n")
	if got := owner(); got != "resu" {
		t.Errorf("owner %q", got)
	}
	w.remove("etc/passwd")
	s := read(t, b, 1<<etcPasswd)
	if _, ok := s.texts[42][platform.ProcessOwner]; ok || len(s.misses) > 0 || s.fields[42][platform.ProcessUser] != user {
		t.Errorf("without a file: %q, %v", s.texts[42], s.misses)
	}
}

func TestNoAllocations(t *testing.T) {
	w := newWorld(t)
	w.quiet = true
	b := w.backend(Options{})
	defer b.Close()
	var c count
	walk(t, b, processSources, &c)
	few := testing.AllocsPerRun(20, func() { walk(t, b, processSources, &c) })
	for pid := uint64(100); pid < 200; pid++ {
		w.start(task{pid: pid, start: pid, name: "more", threads: int(pid%3) + 1, scale: 1})
	}
	walk(t, b, processSources, &c)
	many := testing.AllocsPerRun(20, func() { walk(t, b, processSources, &c) })
	if few > 1 || many > 1 { // the reader
		t.Errorf("%v allocations in a pass, %v with 100 processes more", few, many)
	}
}
