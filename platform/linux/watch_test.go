package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// heard is an occurrence that was kept.
type heard struct {
	platform.Occurrence
	command, cgroup, state, before, title string
	usage                                 map[platform.Field]uint64
}

func keep(o *platform.Occurrence) heard {
	h := heard{Occurrence: *o, command: string(o.Command), cgroup: string(o.Cgroup), state: string(o.State),
		before: string(o.Before), title: string(o.Title), usage: map[platform.Field]uint64{}}
	if o.Usage != nil {
		for _, f := range []platform.Field{platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual} {
			if v, ok := o.Usage.Get(f); ok {
				h.usage[f] = v
			}
		}
	}
	h.Command, h.Cgroup, h.State, h.Before, h.Title, h.Usage = nil, nil, nil, nil, nil, nil
	return h
}

// everyKind is what a watch may be asked for.
var everyKind = platform.WatchOptions{Kinds: 1<<platform.OccurrenceKinds - 1}

func wanting(k ...platform.OccurrenceKind) platform.WatchOptions {
	return platform.WatchOptions{Kinds: platform.KindsOf(k...)}
}

// readWatch reads what a watch has.
func readWatch(w platform.Watch) (all []heard, err error) {
	err = w.Read(func(o *platform.Occurrence) { all = append(all, keep(o)) })
	return all, err
}

// thread2 is the stat of the process 2 where PIDs are the kernel's own.
const thread2 = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n"

// watchFiles are a machine on which everything can be listened to.
func watchFiles() map[string]string {
	return map[string]string{
		"proc/2/stat": thread2, "proc/vmstat": "pgfault 1\noom_kill 5\n",
		"proc/self/mountinfo": wholeTree, "sys/fs/cgroup/system.slice/memory.events": memoryEvents(4),
		"proc/5392/stat": "5392 (a) b\x01\\,pid=1) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0\n", "proc/5392/cgroup": "0::/late\n",
	}
}

func readyKernel(t *testing.T) *watchKernel {
	k := newWatchKernel(writeTree(t, watchFiles()))
	for _, name := range []string{"dev/kmsg", "proc/pressure/cpu", "proc/pressure/memory", "proc/pressure/io"} {
		k.records[name] = nil
	}
	k.records["/"+privateSocket] = []string{"OK 0123\r\n", string(little(unitsListed(2, "a.service active")))}
	return k
}

// A machine that has nothing of it is watched all the same, and says why it is silent.
func TestWatchNothing(t *testing.T) {
	w, err := watchTree(newWatchKernel(t.TempDir()), everyKind)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Tiers()) != len(occurrenceSources) {
		t.Errorf("%d tiers", len(w.Tiers()))
	}
	for _, tier := range w.Tiers() {
		if tier.Err == nil || tier.Spared || !errors.Is(tier.Err, errors.ErrUnsupported) && !errors.Is(tier.Err, fs.ErrNotExist) {
			t.Errorf("%s: %v", tier.Source.Name, tier.Err)
		}
	}
	if all, err := readWatch(w); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	if err := errors.Join(w.Follow(platform.Key{ID: 1}), w.Close()); err != nil {
		t.Error(err)
	}
	w.Unfollow(platform.Key{ID: 1})
	if _, err := readWatch(w); !errors.Is(err, fs.ErrClosed) || !errors.Is(w.Close(), fs.ErrClosed) {
		t.Errorf("a closed watch: %v", err)
	}
	b := treeBackend(newTreeKernel(t.TempDir()), Options{})
	if _, err := b.Watch(t.Context(), everyKind); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a recorded kernel is watched: %v", err)
	}
	if _, err := b.Watch(ended(), everyKind); err == nil {
		t.Error("an ended context begins a watch")
	}
}

// Denied is something else, and says what helps.
func TestWatchDenied(t *testing.T) {
	k := readyKernel(t)
	k.records["/"+busSocket] = []string{"REJECTED EXTERNAL\r\n"}
	k.records["/"+privateSocket] = []string{"REJECTED EXTERNAL\r\n"}
	b := treeBackend(k.treeKernel, Options{Root: "/"})
	b.kernel, b.proc = denying{k}, treeProc
	w, err := b.Watch(t.Context(), everyKind)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	helps := map[string]string{"/dev/kmsg": "CAP_SYSLOG", "/proc/pressure": "CAP_SYS_RESOURCE", systemdName: "root"}
	for _, tier := range w.Tiers() {
		if help := helps[tier.Source.Name]; help != "" && (!errors.Is(tier.Err, fs.ErrPermission) || !strings.Contains(tier.Err.Error(), help)) {
			t.Errorf("%s: %v", tier.Source.Name, tier.Err)
		}
	}
}

// denying is a kernel that lets nobody listen.
type denying struct{ *watchKernel }

func (k denying) Open(dir int, path []byte) (int, error) {
	if k.name(path) == "dev/kmsg" {
		return -1, fs.ErrPermission
	}
	return k.watchKernel.Open(dir, path)
}
func (denying) OpenWrite(int, []byte) (int, error) { return -1, fs.ErrPermission }

// ofLives reports whether a source tells of the lives of processes.
func ofLives(s platform.OccurrenceSource) bool {
	return s.Tells&wanting(platform.ProcessExited, platform.ProcessAccounted).Kinds != 0
}

// Each kind has the best source, and the count of kills is spared beside the log.
func TestWatchTiers(t *testing.T) {
	k := readyKernel(t)
	w, err := watchTree(k, everyKind)
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range w.Tiers() {
		if ofLives(tier.Source) {
			if !errors.Is(tier.Err, errors.ErrUnsupported) {
				t.Errorf("%s: %v of a kernel that makes no such calls", tier.Source.Name, tier.Err)
			}
			continue
		}
		if tier.Err != nil || tier.Spared != slices.Contains([]string{"/proc/vmstat", "memory.events"}, tier.Source.Name) {
			t.Errorf("%s: %v, spared %v", tier.Source.Name, tier.Err, tier.Spared)
		}
	}
	open := len(w.listeners)
	if err := w.Close(); err != nil || k.leaked() != 0 || open != 3 {
		t.Errorf("%v, %d descriptors are open, of %d listeners", err, k.leaked(), open)
	}
	k = readyKernel(t)
	if w, err = watchTree(k, wanting(platform.ServiceChanged)); err != nil || len(w.Tiers()) != 1 || len(k.sent) == 0 {
		t.Fatalf("%v, %v", err, w.Tiers())
	}
	for _, sent := range k.sent {
		if strings.HasPrefix(sent, "proc/") {
			t.Errorf("what nobody wants is opened: %q", sent)
		}
	}
	var names []string
	for _, s := range treeBackend(k.treeKernel, Options{}).Occurrences() {
		names = append(names, s.Name)
		if s.Tells == 0 || s.Needs == "" || s.Followed != (s.Name == "pidfd") {
			t.Errorf("%+v", s)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(occurrenceSources) {
		t.Errorf("%q", names)
	}
}

// oomRecords are what Linux 6.18 wrote on 2026-11-23 as it killed a process that was
// called so, with what lies around: lines of users and of devices.
const oomName = "a) b\x01\\,pid=1"

var oomRecords = []string{
	"4,537,29807782387,-;a) b\\x01\\x5c,pid=1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n",
	"6,569,29807784947,-;Memory cgroup stats for /oomtry:\n",
	"12,570,29807784950,-;Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB\n",
	"6,615,29807785284,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/oomtry,task_memcg=/oomtry,task=a) b\\x01\\x5c,pid=1,pid=5392,uid=0\n",
	"3,616,29807785320,-;Memory cgroup out of memory: Killed process 5392 (a) b\\x01\\x5c,pid=1) total-vm:36096kB, anon-rss:26224kB, file-rss:3632kB, shmem-rss:0kB, UID:0 pgtables:108kB oom_score_adj:0\n",
	"6,617,29807785400,-;usb 1-1: new device\n SUBSYSTEM=usb\n DEVICE=Killed process 2 (x) total-vm:1kB\n",
}

func TestWatchKmsg(t *testing.T) {
	k := readyKernel(t)
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	k.records["dev/kmsg"] = slices.Concat(oomRecords, []string{"!EPIPE", "!EINVAL", "!EPIPE",
		"4,1,1,-;Task in /a killed as a result of limit of /\n",
		"3,1,1,-;Memory cgroup out of memory: Kill process 7 (b) score 1001 or sacrifice child\n",
		"3,1,1,-;Killed process 7 (b) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n",
		"3,1,1,-;Out of memory: Killed process 5392 (" + `a) b\x01\x5c,pid=1` + ") total-vm:8kB, anon-rss:4kB, file-rss:0kB\n",
		"3,1,1,-;Out of memory: Killed process 5392 (another) total-vm:8kB\n",
	})
	w.poll.(*fakePoll).all(true) // as the kernel says while records are lost
	all, err := readWatch(w)
	if err != nil || len(all) != 5 {
		t.Fatalf("%v, %+v", err, all)
	}
	usage := func(resident, virtual uint64) map[platform.Field]uint64 {
		return map[platform.Field]uint64{platform.ProcessMemoryRSS: resident << 10, platform.ProcessMemoryVirtual: virtual << 10}
	}
	killed := func(pid, start uint64) platform.Occurrence {
		return platform.Occurrence{Kind: platform.ProcessOOMKilled, Key: platform.Key{ID: pid, Start: start}}
	}
	for i, want := range []heard{
		{Occurrence: killed(5392, 777), command: oomName, cgroup: "/oomtry", usage: usage(26224+3632, 36096)},
		{Occurrence: platform.Occurrence{Kind: platform.OccurrencesLost}, usage: map[platform.Field]uint64{}},
		{Occurrence: killed(7, 0), command: "b", cgroup: "/a", usage: usage(4, 8)},
		{Occurrence: killed(5392, 777), command: oomName, cgroup: "/late", usage: usage(4, 8)},
		{Occurrence: killed(5392, 0), command: "another", usage: map[platform.Field]uint64{platform.ProcessMemoryVirtual: 8 << 10}},
	} {
		if !reflect.DeepEqual(all[i], want) {
			t.Errorf("%d: %+v, want %+v", i, all[i], want)
		}
	}
	k.records["dev/kmsg"] = []string{"!EIO"}
	w.poll.(*fakePoll).all(false)
	if _, err := readWatch(w); !errors.Is(err, syscall.EIO) || len(w.listeners) != 0 {
		t.Errorf("a log that can't be read: %v", err)
	}
	if w.Close(); k.leaked() != 0 {
		t.Errorf("%d descriptors are open", k.leaked())
	}
}

// A log that is written faster than it is read does not keep a Read for ever.
func TestWatchKmsgFlood(t *testing.T) {
	k := readyKernel(t)
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	k.records["dev/kmsg"] = slices.Repeat([]string{"6,1,1,-;x\n"}, 3*kmsgMost)
	w.poll.(*fakePoll).all(false)
	if _, err := readWatch(w); err != nil || len(k.records["dev/kmsg"]) != 2*kmsgMost {
		t.Errorf("%v, %d records are left", err, len(k.records["dev/kmsg"]))
	}
}

// In a PID namespace the numbers of the kernel's log are those of others.
func TestWatchKmsgOfNamespace(t *testing.T) {
	for content, want := range map[string]uint64{thread2: 5392, strings.Replace(thread2, "2129984", "4194304", 1): 0, "": 0} {
		k := readyKernel(t)
		writeEntry(k.root+"/proc/2/stat", content)
		w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
		if err != nil {
			t.Fatal(err)
		}
		k.records["dev/kmsg"] = slices.Clone(oomRecords)
		w.poll.(*fakePoll).all(false)
		if all, err := readWatch(w); err != nil || len(all) != 1 || all[0].Key.ID != want || all[0].command != oomName {
			t.Errorf("%q: %v, %+v", content, err, all)
		}
	}
}

func TestWatchOOMCount(t *testing.T) {
	k := readyKernel(t)
	delete(k.records, "dev/kmsg")
	os.Remove(k.root + "/proc/self/mountinfo")
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ count, want uint64 }{{5, 0}, {8, 3}, {8, 0}, {2, 0}, {3, 1}} {
		writeEntry(k.root+"/proc/vmstat", fmt.Sprintf("oom_kill %d\n", step.count))
		all, err := readWatch(w)
		if err != nil || len(all) != min(int(step.want), 1) || len(all) == 1 && (all[0].Count != step.want || all[0].Kind != platform.ProcessOOMKilled) {
			t.Errorf("%d: %v, %+v", step.count, err, all)
		}
	}
	os.Remove(k.root + "/proc/vmstat")
	if _, err := readWatch(w); err == nil || len(w.silent) != 1 {
		t.Errorf("%v; it is asked again: %d", err, len(w.silent))
	}
}

// A trigger is set once per threshold, its first edge is that of having been added, and
// each later one is a crossing.
func TestWatchPSI(t *testing.T) {
	k := readyKernel(t)
	w, err := watchTree(k, wanting(platform.PressureCrossed))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"proc/pressure/cpu some 5000000 10000000\x00", "proc/pressure/memory some 1000000 10000000\x00",
		"proc/pressure/memory full 6000000 10000000\x00", "proc/pressure/io full 500000 10000000\x00",
	}
	if !slices.Equal(k.sent, want) {
		t.Errorf("%q", k.sent)
	}
	poll := w.poll.(*fakePoll)
	poll.all(false)
	if all, err := readWatch(w); err != nil || len(all) != 0 {
		t.Errorf("%v, %+v", err, all)
	}
	poll.ready = []Ready{{poll.of[2], false}}
	all, err := readWatch(w)
	stall := platform.Stall{Resource: "memory", Full: true, Waited: 6 * time.Second, Window: 10 * time.Second}
	if err != nil || len(all) != 1 || all[0].Kind != platform.PressureCrossed || all[0].Stall != stall {
		t.Errorf("%v, %+v", err, all)
	}
	poll.all(true)
	if all, err := readWatch(w); !errors.Is(err, errDeaf) || len(all) != 0 {
		t.Errorf("triggers that are gone: %v, %+v", err, all)
	}
	if w.Close(); k.leaked() != 0 {
		t.Errorf("%d descriptors are open", k.leaked())
	}
	for _, s := range psiStalls {
		if s.waited > psiWindow || psiWindow%(2*time.Second) != 0 || psiWindow > 10*time.Second {
			t.Errorf("the kernel does not take %+v", s)
		}
	}
}

// A connection to systemd that is lost is told, and made anew after a while.
func TestWatchSystemdAgain(t *testing.T) {
	k := readyKernel(t)
	w, err := watchTree(k, wanting(platform.ServiceChanged))
	if err != nil {
		t.Fatal(err)
	}
	const socket = "/" + privateSocket
	k.records[socket] = []string{string(little(state("a_2eservice", "deactivating", 0))), "!EPIPE"}
	w.poll.(*fakePoll).all(false)
	all, err := readWatch(w)
	if !errors.Is(err, syscall.EPIPE) || len(all) != 2 || all[1].Kind != platform.OccurrencesLost || k.leaked() != 1 {
		t.Fatalf("%v, %+v, %d are open", err, all, k.leaked())
	}
	wantBrief(t, "before the loss", all[:1], "a.service deactivating<-active")
	k.records[socket] = []string{"OK 0123\r\n", string(little(unitsListed(2, "a.service failed")))}
	if all, err = readWatch(w); err != nil || len(all) != 0 || k.leaked() != 1 {
		t.Errorf("at once: %v, %+v, %d are open", err, all, k.leaked())
	}
	k.clock += int64(busAgain)
	all, err = readWatch(w)
	if wantBrief(t, "after a while", all, "a.service failed<-deactivating"); err != nil || k.leaked() != 2 || len(w.silent) != 0 {
		t.Errorf("%v, %d are open, %d silent", err, k.leaked(), len(w.silent))
	}
	k.records[socket] = []string{"HTTP/1.1 400 Bad Request, and this is no message of D-Bus\r\n"}
	w.poll.(*fakePoll).all(false)
	if _, err = readWatch(w); !errors.Is(err, errDeaf) || len(w.listeners)+len(w.silent) != 0 || k.leaked() != 1 {
		t.Errorf("what is no D-Bus: %v, %d are open", err, k.leaked())
	}
	if w.Close(); k.leaked() != 0 {
		t.Errorf("%d descriptors are open", k.leaked())
	}
}

// Every single call fails in several ways: nothing is leaked, and a source that can't be
// listened to is in its tier.
func TestWatchFaults(t *testing.T) {
	run := func(at int, fault error) (*watchKernel, error) {
		k := readyKernel(t)
		k.failAt, k.fault = at, fault
		w, err := watchTree(k, everyKind)
		if err != nil {
			return k, err
		}
		k.records["dev/kmsg"] = slices.Clone(oomRecords)
		k.records["/"+privateSocket] = append(k.records["/"+privateSocket], string(little(state("a_2eservice", "failed", 0))))
		w.poll.(*fakePoll).all(false)
		readWatch(w)
		w.Close()
		return k, nil
	}
	k, err := run(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := k.calls
	for _, fault := range []error{fs.ErrPermission, fs.ErrNotExist, syscall.EIO, syscall.EMFILE} {
		for at := 1; at <= calls; at++ {
			k, err := run(at, fault)
			if n := k.leaked(); n != 0 {
				t.Errorf("%v in call %d: %d descriptors are open", fault, at, n)
			}
			if err != nil && at != 1 {
				t.Errorf("%v in call %d: %v", fault, at, err)
			}
		}
	}
	if calls < 20 {
		t.Errorf("%d calls in all", calls)
	}
}
