package windows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

const only = platform.SourceSet(1 << fromProcesses)

func TestProcessFields(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		r := passOver(t, opened(t, w), allProcessSources)
		if _, ok := r.process(0); ok || len(r.of[platform.Process]) != 4 {
			t.Errorf("%d processes, the idle one among them: %v", len(r.of[platform.Process]), ok)
		}
		s, _ := r.process(612)
		addressSpace, addressPeak := uint64(8<<30), uint64(9<<30)
		if word == 4 {
			addressSpace, addressPeak = addressSpace&0xffffffff, addressPeak&0xffffffff
		}
		expect(t, "a service", s, map[platform.Field]uint64{
			platform.ProcessCPUUser: 5e9, platform.ProcessCPUSystem: 2e9, platform.ProcessMemoryRSS: 10 << 20,
			platform.ProcessMemoryVirtual: 7 << 20, platform.ProcessPrivateSet: 3 << 20, platform.ProcessThreads: 4,
			platform.ProcessHandles: 42, platform.ProcessFaultsMajor: 11, platform.ProcessFaultsMinor: 1000,
			platform.ProcessTransferReads: 5, platform.ProcessTransferWrites: 6, platform.ProcessOtherOperations: 7,
			platform.ProcessTransferRead: 5000, platform.ProcessTransferWrite: 6000, platform.ProcessOtherBytes: 7000,
			platform.ProcessWorkingSetPeak: 12 << 20, platform.ProcessAddressSpace: addressSpace, platform.ProcessAddressPeak: addressPeak, platform.ProcessCommitPeak: 8 << 20, platform.ProcessPoolPaged: 300,
			platform.ProcessPoolNonPaged: 200, platform.ProcessParent: systemPid, platform.ProcessState: uint64(platform.StateSleeping),
			platform.ProcessSleeping: 1, platform.ProcessRunning: 0, platform.ProcessCPUAllowed: 3,
			platform.ProcessSwitchesVoluntary: absent, platform.ProcessUptime: (w.now - w.boot - 61*second) * 100,
		})
		expect(t, "it has no sockets", s, map[platform.Field]uint64{platform.ProcessTCPListen: 0, platform.ProcessUDP: 0})
		server, _ := r.process(4711)
		expect(t, "a server", server, map[platform.Field]uint64{platform.ProcessTCPListen: 2, platform.ProcessTCPEstablished: 2,
			platform.ProcessTCPClosed: 1, platform.ProcessTCPTimeWait: 0, platform.ProcessUDP: 1})
		if word == 8 {
			expect(t, "with the extension", s, map[platform.Field]uint64{platform.ProcessDiskReadBytes: 4096, platform.ProcessDiskWriteBytes: 8192,
				platform.ProcessDiskReads: 1, platform.ProcessDiskWrites: 2, platform.ProcessSwitches: 1 << 33})
		} else {
			expect(t, "a 32-bit program", s, map[platform.Field]uint64{platform.ProcessDiskReadBytes: absent, platform.ProcessSwitches: 40})
		}
		for text, want := range map[platform.Text]string{
			platform.ProcessCommand: "svchost.exe", platform.ProcessExecutable: `C:\Windows\System32\svchost.exe`,
			platform.ProcessOwner:       `NT AUTHORITY\SYSTEM`,
			platform.ProcessArguments:   "C:\\Windows\\System32\\svchost.exe\x00-k\x00net svcs\x00-p\x00",
			platform.ProcessEnvironment: "A=1\x00Path=C:\\\x00",
		} {
			if s.texts[text] != want {
				t.Errorf("%v is %q, want %q", text, s.texts[text], want)
			}
		}
		kernel, _ := r.process(100)
		expect(t, "a process of the kernel, without threads", kernel, map[platform.Field]uint64{
			platform.ProcessState: uint64(platform.StateSleeping), platform.ProcessPrivateSet: absent,
			platform.ProcessTransferReads: absent, platform.ProcessFaultsMinor: 0}) // others' are told
	}
}

// Before Windows 10 version 1709 nobody is told what went to disks.
func TestWithoutExtension(t *testing.T) {
	w := newWorld(8)
	w.build = extensionBuild - 1
	r := passOver(t, opened(t, w), 1<<fromProcessDisk)
	s, _ := r.process(612)
	expect(t, "an older Windows", s, map[platform.Field]uint64{platform.ProcessDiskReadBytes: absent, platform.ProcessDiskWrites: absent})
	if r.misses[fromProcessDisk][platform.Unsupported] != 4 {
		t.Errorf("missed %v", r.misses)
	}
}

// A process is what it was created at, to 100 ns, whatever the clock does.
func TestIdentity(t *testing.T) {
	w := newWorld(8)
	first := opened(t, w)
	before := passOver(t, first, only)
	w.now += 3600 * second
	w.boot += 3600 * second // as Windows does when the clock is set
	second := opened(t, w)
	after := passOver(t, second, only)
	for key := range before.of[platform.Process] {
		if _, ok := after.of[platform.Process][key]; !ok && key.ID != systemPid {
			t.Errorf("%+v is another one after the clock was set", key)
		}
		want := w.tasks[3].create
		if created := first.Boot().Created(key.Start); key.ID == 612 && filetime(created) != want {
			t.Errorf("created at %v, want %d", created, want)
		}
	}
	if boot := first.Boot().Time; boot.Nanosecond() != 0 || time.Duration(noon-filetime(boot))*100 != 3601*time.Second {
		t.Errorf("started at %v", boot)
	}
}

// What the table says of PID 0 is no process, and of two processes with one PID the
// later one has it.
func TestDuplicates(t *testing.T) {
	w := newWorld(8)
	older := w.service(612)
	older.create -= 10 * second
	older.user = 99
	w.tasks = append(w.tasks, task{pid: 0, name: wide("svchost.exe"), create: noon}, task{pid: 0, name: wide("svchost.exe")}, older)
	r := passOver(t, opened(t, w), only)
	if len(r.of[platform.Process]) != 4 || r.misses[fromProcesses][platform.Gone] != 3 {
		t.Errorf("%d processes, missed %v", len(r.of[platform.Process]), r.misses)
	}
	if s, _ := r.process(612); s.fields[platform.ProcessCPUUser] != 5e9 {
		t.Errorf("the older process was taken: %v", s.fields)
	}
}

// A PID that went to another process, and one that ended and is held open, are gone:
// nothing of one process is ever told of another.
func TestReuse(t *testing.T) {
	for what, change := range map[string]func(*task){
		"another process":     func(t *task) { t.create++ },
		"ended and held open": func(t *task) { t.ended = true },
	} {
		w := newWorld(8)
		b := opened(t, w)
		reader, _ := b.Begin(context.Background())
		r := newRecord()
		if err := reader.Process(platform.Key{ID: 612}, only, r); err != nil {
			t.Fatal(err)
		}
		change(&w.tasks[3])
		if err := reader.Process(platform.Key{ID: 612}, allProcessSources, r); err != nil {
			t.Fatal(err)
		}
		s, _ := r.process(612)
		for text := range s.texts {
			if text != platform.ProcessCommand {
				t.Errorf("%s: told %v", what, text)
			}
		}
		if r.misses[fromImage][platform.Gone] != 1 || r.misses[fromEnvironment][platform.Gone] != 1 {
			t.Errorf("%s: missed %v", what, r.misses)
		}
		reader.Close()
	}
}

// A process that is only an object any more is defunct, and owns nothing.
func TestEnded(t *testing.T) {
	w := newWorld(8)
	w.tasks[3].threads, w.tasks[3].parent = nil, 4711
	r := passOver(t, opened(t, w), allProcessSources)
	s, _ := r.process(612)
	expect(t, "ended", s, map[platform.Field]uint64{platform.ProcessState: uint64(platform.StateDefunct), platform.ProcessDefunct: 1})
	if len(s.texts) != 1 || r.misses[fromOwner][platform.Gone] != 1 {
		t.Errorf("it owns %v, missed %v", s.texts, r.misses)
	}
}

// A refused handle costs its own fields; what the table tells stands.
func TestDenied(t *testing.T) {
	w := newWorld(8)
	for i := range w.tasks {
		w.tasks[i].denied = true
	}
	r := passOver(t, opened(t, w), allProcessSources)
	for key, s := range r.of[platform.Process] {
		for _, f := range []platform.Field{platform.ProcessCPUUser, platform.ProcessMemoryRSS, platform.ProcessThreads} {
			if _, ok := s.fields[f]; !ok {
				t.Errorf("%d has no %v", key.ID, f)
			}
		}
	}
	service, _ := r.process(612)
	if path := service.texts[platform.ProcessExecutable]; path != `C:\Windows\System32\svchost.exe` {
		t.Errorf("the program is %q", path)
	}
	for source, n := range map[int]int{fromImage: 2, fromOwner: 4} {
		if r.misses[source][platform.Denied] != n {
			t.Errorf("source %d missed %v", source, r.misses[source])
		}
	}
	for _, source := range []int{fromCommandLine, fromEnvironment, fromAffinity} {
		if r.misses[source][platform.Denied] != 4 {
			t.Errorf("source %d missed %v", source, r.misses[source])
		}
	}
}

func TestStates(t *testing.T) {
	waiting, suspended := thread{state: threadWaiting, wait: 6}, thread{state: threadWaiting, wait: waitSuspended}
	for _, c := range []struct {
		threads []thread
		want    uint64
	}{
		{[]thread{waiting, {state: threadReady}}, uint64(platform.StateRunning)},
		{[]thread{waiting, suspended}, uint64(platform.StateSleeping)},
		{[]thread{suspended, suspended}, uint64(platform.StateStopped)},
		{[]thread{{}, {}}, absent}, // no state is told
		{[]thread{{}, waiting}, uint64(platform.StateSleeping)},
	} {
		w := newWorld(8)
		w.tasks[4].threads = c.threads
		s, _ := passOver(t, opened(t, w), only).process(4711)
		expect(t, fmt.Sprint(c.threads), s, map[platform.Field]uint64{platform.ProcessState: c.want})
	}
}

// A parent that is younger than its child only has the parent's PID.
func TestParent(t *testing.T) {
	w := newWorld(8)
	w.tasks[3].parent = 4711
	s, _ := passOver(t, opened(t, w), only).process(612)
	expect(t, "a younger parent", s, map[platform.Field]uint64{platform.ProcessParent: absent})
	w.tasks[3].parent = 99999
	s, _ = passOver(t, opened(t, w), only).process(612)
	expect(t, "a parent that has ended", s, map[platform.Field]uint64{platform.ProcessParent: 99999})
}

// The switches of threads that ended stay in the sum, and a thread's own counter may
// wrap.
func TestSwitches(t *testing.T) {
	w := newWorld(8)
	w.build = extensionBuild - 1
	b := opened(t, w)
	sum := func(want uint64, threads ...thread) {
		t.Helper()
		w.tasks[3].threads = threads
		s, _ := passOver(t, b, only|1<<fromThreads).process(612)
		expect(t, "switches", s, map[platform.Field]uint64{platform.ProcessSwitches: want})
	}
	one := thread{id: 1, create: 5, switches: 100, state: threadWaiting}
	two := thread{id: 2, create: 6, switches: 1<<32 - 10, state: threadWaiting}
	sum(100+1<<32-10, one, two)
	two.switches = 5
	sum(100+1<<32+5, one, two)
	sum(100+1<<32+5, two)
	two.create, two.switches = 7, 3 // another thread with that ID
	sum(100+1<<32+8, two)
	w.tasks[3].create += second
	sum(3, two)
}

// A 32-bit process on a 64-bit Windows is read by its own layout, and memory that
// changes under the hand is read again.
func TestMemoryOfAProcess(t *testing.T) {
	w := newWorld(8)
	w.tasks[3].wow64 = true
	w.noGroups = true // a Windows that does not tell command lines
	w.partial = peekTries - 1
	r := passOver(t, opened(t, w), 1<<fromCommandLine|1<<fromEnvironment)
	for _, pid := range []uint64{612, 4711} {
		s, _ := r.process(pid)
		if s.texts[platform.ProcessArguments] == "" || s.texts[platform.ProcessEnvironment] != "A=1\x00Path=C:\\\x00" {
			t.Errorf("%d: %q, missed %v", pid, s.texts, r.misses)
		}
	}
	w.partial = 1000
	r = passOver(t, opened(t, w), 1<<fromEnvironment)
	if r.misses[fromEnvironment][platform.Unknown] != 4 {
		t.Errorf("memory that can't be read: missed %v", r.misses)
	}
}

// A name, an argument and a variable with half a character in them are kept, and
// shown as valid UTF-8.
func TestUnpairedSurrogates(t *testing.T) {
	w := newWorld(8)
	half := []uint16{'a', 0xd83d, '.', 'e'}
	w.tasks[3].name, w.tasks[3].line, w.tasks[3].environment = half, append(wide("x "), half...), append(half, 0, 0)
	r := passOver(t, opened(t, w), allProcessSources)
	s, _ := r.process(612)
	for of, want := range map[platform.Text]string{
		platform.ProcessCommand: `a\uD83D.e`, platform.ProcessArguments: "x\x00" + `a\uD83D.e` + "\x00",
		platform.ProcessEnvironment: `a\uD83D.e` + "\x00",
	} {
		if got := text.Escape([]byte(s.texts[of])); got != want {
			t.Errorf("%v is %q, want %q", of, got, want)
		}
		if back := text.Unescape(want); string(back) != s.texts[of] {
			t.Errorf("%v was %q, and would be %q again", of, s.texts[of], back)
		}
	}
}

// A table that breaks off tells of nobody, so that nobody seems to have ended.
func TestTableCutOff(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	w.tasks[4].threads = nil
	w.tasks[4].values = map[int]uint64{}
	cut := &cutKernel{w}
	b.(*backend).kernel = cut
	reader, _ := b.Begin(context.Background())
	defer reader.Close()
	r := newRecord()
	if err := reader.Read(only, r); !errors.Is(err, errContent) || len(r.of) > 0 || r.misses[fromProcesses][platform.Unknown] != 1 {
		t.Errorf("%v, %v, missed %v", err, r.of, r.misses)
	}
	if err := reader.Process(platform.Self, only, r); !errors.Is(err, errContent) {
		t.Errorf("one process: %v", err)
	}
}

// cutKernel loses the end of the table of processes.
type cutKernel struct{ *world }

func (k *cutKernel) System(class int32, buf []byte) (int, error) {
	n, err := k.world.System(class, buf)
	if class == classProcesses {
		n -= 700
	}
	return n, err
}

func TestSelf(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	reader, _ := b.Begin(context.Background())
	defer reader.Close()
	r := newRecord()
	if err := reader.Process(platform.Self, only, r); err != nil || len(r.of[platform.Process]) != 1 {
		t.Errorf("%v, %v", r.of, err)
	}
	if err := reader.Process(platform.Key{ID: 4711, Start: 1}, only, r); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("another start: %v", err)
	}
}
