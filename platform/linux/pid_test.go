package linux

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
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
		platform.ProcessCPUUser:              50 * k * nsPerTick,
		platform.ProcessCPUSystem:            60 * k * nsPerTick,
		platform.ProcessCPUIowait:            6 * k * nsPerTick,
		platform.ProcessMemoryRSS:            800 * k << 10,
		platform.ProcessMemoryVirtual:        8000 * k << 10,
		platform.ProcessFaultsMinor:          100 * k,
		platform.ProcessFaultsMajor:          10 * k,
		platform.ProcessThreads:              threads,
		platform.ProcessOpenFiles:            5 * k,
		platform.ProcessDiskReadBytes:        4096 * k,
		platform.ProcessDiskWriteBytes:       8192 * k,
		platform.ProcessDiskReads:            3 * k,
		platform.ProcessDiskWrites:           4 * k,
		platform.ProcessSwitchesVoluntary:    10 * k * threads,
		platform.ProcessSwitchesInvoluntary:  k * threads,
		platform.ProcessSignalsPending:       k % 2,
		platform.ProcessUptime:               (100_000 - p.start) * nsPerTick,
		platform.ProcessState:                sleeping,
		platform.ProcessParent:               1,
		platform.ProcessUser:                 uint64(p.user),
		platform.ProcessCPUAllowed:           4,
		platform.ProcessVPID:                 k,
		platform.ProcessCPULimit:             500_000 * k,
		platform.ProcessMemoryLimit:          min(k, 2) << 30,
		platform.ProcessRunning:              0,
		platform.ProcessSleeping:             1,
		platform.ProcessStopped:              0,
		platform.ProcessDefunct:              0,
		platform.ProcessCPUNumber:            1,
		platform.ProcessNice:                 -k,
		platform.ProcessChildCPUUser:         7 * k * nsPerTick,
		platform.ProcessChildCPUSystem:       8 * k * nsPerTick,
		platform.ProcessChildFaultsMinor:     11 * k,
		platform.ProcessChildFaultsMajor:     12 * k,
		platform.ProcessMemoryShared:         3 << 12,
		platform.ProcessMemoryText:           4 << 12,
		platform.ProcessMemoryData:           5 << 12,
		platform.ProcessMemoryAnonymous:      400 * k << 10,
		platform.ProcessMemoryFile:           300 * k << 10,
		platform.ProcessMemoryShmem:          100 * k << 10,
		platform.ProcessMemoryHugetlb:        2048 * k << 10,
		platform.ProcessMemoryPeak:           900 * k << 10,
		platform.ProcessVirtualPeak:          9000 * k << 10,
		platform.ProcessMemoryUSS:            2078 * k << 10,
		platform.ProcessMemoryPSS:            50 * k << 10,
		platform.ProcessMemorySwap:           5 * k << 10,
		platform.ProcessRequestedRead:        k,
		platform.ProcessRequestedWrite:       2 * k,
		platform.ProcessFileLimitSoft:        1000 * k,
		platform.ProcessFileLimitHard:        2000 * k,
		platform.ProcessIOPriorityBestEffort: k,
		platform.ProcessChildren:             0,
		platform.ProcessTCPEstablished:       0,
		platform.ProcessTCPSynSent:           0,
		platform.ProcessTCPSynReceived:       0,
		platform.ProcessTCPFinWait1:          0,
		platform.ProcessTCPFinWait2:          0,
		platform.ProcessTCPTimeWait:          0,
		platform.ProcessTCPClosed:            0,
		platform.ProcessTCPCloseWait:         0,
		platform.ProcessTCPLastAck:           0,
		platform.ProcessTCPListen:            0,
		platform.ProcessTCPClosing:           0,
		platform.ProcessUDP:                  0,
	}
}

// lone are the sources that tell of a process by what stands under it alone. The
// others look at all processes, or at what it shares with others.
const lone = processSources &^ (1<<pidChildren | 1<<pidSockets)

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
			platform.ProcessCgroup: "/docker/" + strings.Repeat("0", 63) + "2", platform.ProcessContainer: strings.Repeat("0", 63) + "2",
			platform.ProcessPod: "", platform.ProcessUnit: "",
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
		want := len(source.Gives)
		if i == pidIOPriority {
			want = 1 // the field of its class
		}
		if got := len(s.fields[42]); got != want {
			t.Errorf("%s set %d fields of %d", source.Name, got, want)
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
	read(t, b, lone)
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
	// The reader, and on 32-bit machines what boxes a 64-bit number of the fake kernel.
	if few > 5 || many > few {
		t.Errorf("%v allocations in a pass, %v with 100 processes more", few, many)
	}
}
