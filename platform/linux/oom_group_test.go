package linux

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// groupsFile are mounts of control groups of version 2: the whole tree, and a part of it
// as a container has it.
const (
	wholeTree = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	partTree  = "30 23 0:26 /kubepods/pod1 /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n"
)

func memoryEvents(kills int) string {
	return fmt.Sprintf("low 0\nhigh 7\nmax 9\noom 3\noom_kill %d\noom_group_kill 2\nsock_throttled 0\n", kills)
}

// groupKernel is a machine whose log may not be read, with two outermost groups.
func groupKernel(t *testing.T, mounts string) *watchKernel {
	files := watchFiles()
	files["proc/self/mountinfo"] = mounts
	files["sys/fs/cgroup/user.slice/memory.events"] = memoryEvents(0)
	files["sys/fs/cgroup/bare/cgroup.procs"] = ""
	return newWatchKernel(writeTree(t, files))
}

// kills reads a watch and returns what was killed where: "/system.slice 2".
func kills(t *testing.T, w *watch) (all []string) {
	t.Helper()
	err := w.Read(func(o *platform.Occurrence) {
		if o.Kind != platform.ProcessOOMKilled || o.Key.ID != 0 {
			t.Errorf("%+v", o)
		}
		all = append(all, fmt.Sprintf("%s %d", o.Cgroup, o.Count))
	})
	if err != nil {
		t.Error(err)
	}
	return all
}

// set changes what the machine and its groups have counted.
func (k *watchKernel) set(machine int, groups map[string]int) {
	writeEntry(k.root+"/proc/vmstat", fmt.Sprintf("oom_kill %d\n", machine))
	for name, n := range groups {
		writeEntry(k.root+"/sys/fs/cgroup/"+name+"/memory.events", memoryEvents(n))
	}
}

// A kill is told once: of its group, or a Read later without one.
func TestWatchGroupKills(t *testing.T) {
	k := groupKernel(t, wholeTree)
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range w.Tiers() {
		if spared := tier.Source.Name == vmstatOccurrences.Name; tier.Source.Name != kmsgOccurrences.Name && (tier.Err != nil || tier.Spared != spared) {
			t.Errorf("%s: %v, spared %v", tier.Source.Name, tier.Err, tier.Spared)
		}
	}
	for i, step := range []struct {
		machine int
		groups  map[string]int
		want    []string
	}{
		{5, nil, nil},
		{7, map[string]int{"system.slice": 6}, []string{"/system.slice 2"}},
		{8, nil, nil}, // the machine counts first
		{8, map[string]int{"user.slice": 1}, []string{"/user.slice 1"}},
		{10, nil, nil},
		{10, nil, []string{" 2"}}, // outside of all groups
		{12, map[string]int{"system.slice": 7, "user.slice": 2}, []string{"/system.slice 1", "/user.slice 1"}},
		{13, map[string]int{"new.slice": 1}, []string{"/new.slice 1"}},
		{13, nil, nil},
	} {
		for name := range step.groups {
			os.MkdirAll(k.root+"/sys/fs/cgroup/"+name, 0o755)
		}
		k.set(step.machine, step.groups)
		got := kills(t, w)
		if slices.Sort(got); !slices.Equal(got, step.want) {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
	if w.Close(); k.leaked() != 0 {
		t.Errorf("%d descriptors are open", k.leaked())
	}
}

// A group that is removed is left, and what it counted last is told without it.
func TestWatchGroupGone(t *testing.T) {
	k := groupKernel(t, wholeTree)
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	g := w.listeners[0].(*groupKills)
	if len(g.groups) != 2 {
		t.Fatalf("%d groups", len(g.groups))
	}
	gone := g.groups[0]
	writeEntry(k.root+"/sys/fs/cgroup"+gone.path+"/memory.events", "") // as ENODEV
	k.set(6, nil)
	if all := kills(t, w); len(all) != 0 || len(g.groups) != 1 || gone.fd >= 0 {
		t.Errorf("%q, %d groups", all, len(g.groups))
	}
	if all := kills(t, w); !slices.Equal(all, []string{" 1"}) {
		t.Errorf("%q", all)
	}
}

// In a container the mounted group counts, and not what others were killed for.
func TestWatchGroupOfContainer(t *testing.T) {
	k := groupKernel(t, partTree)
	os.WriteFile(k.root+"/sys/fs/cgroup/memory.events", []byte(memoryEvents(1)), 0o644)
	w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	k.set(50, map[string]int{".": 2})
	if all := kills(t, w); len(all) != 0 {
		t.Errorf("nothing woke the watch: %q", all)
	}
	w.poll.(*fakePoll).all(true) // kernfs reports changes as errors
	if all := kills(t, w); !slices.Equal(all, []string{"/kubepods/pod1 1"}) {
		t.Errorf("%q", all)
	}
}

// Without the controller of memory, or with that of version 1, the count of the machine
// is told.
func TestWatchNoGroups(t *testing.T) {
	for name, mounts := range map[string]string{
		"none": "", "no controller": strings.ReplaceAll(wholeTree, "/sys/fs/cgroup", "/sys/fs/cgroup/bare"),
		"version 1": wholeTree + "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
	} {
		w, err := watchTree(groupKernel(t, mounts), wanting(platform.ProcessOOMKilled))
		if err != nil {
			t.Fatal(err)
		}
		for _, tier := range w.Tiers() {
			switch tier.Source.Name {
			case groupOccurrences.Name:
				if !errors.Is(tier.Err, errors.ErrUnsupported) {
					t.Errorf("%s: %v", name, tier.Err)
				}
			case vmstatOccurrences.Name:
				if tier.Err != nil || tier.Spared {
					t.Errorf("%s: %+v", name, tier)
				}
			}
		}
		w.Close()
	}
}

// Every call that listens to groups fails in its turn: nothing is leaked, and the count
// of the machine is what is left.
func TestWatchGroupFaults(t *testing.T) {
	run := func(at int) (*watchKernel, bool) {
		k := groupKernel(t, wholeTree)
		k.failAt, k.fault = at, errors.New("fault")
		w, err := watchTree(k, wanting(platform.ProcessOOMKilled))
		if err != nil {
			return k, at == 1
		}
		k.set(6, map[string]int{"user.slice": 1})
		w.Read(func(*platform.Occurrence) {})
		w.Close()
		return k, true
	}
	k, _ := run(0)
	if k.calls < 15 {
		t.Errorf("%d calls", k.calls)
	}
	for at := 1; at <= k.calls; at++ {
		if k, ok := run(at); !ok || k.leaked() != 0 {
			t.Errorf("call %d: %d descriptors are open", at, k.leaked())
		}
	}
}

func slowMemoryEvents(b []byte) (kills uint64, ok bool) {
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		name, number, found := strings.Cut(line, " ")
		if !found || name != "oom_kill" {
			continue
		}
		v, err := strconv.ParseUint(strings.Trim(number, " \t\r"), 10, 64)
		return v, err == nil && !strings.Contains(number, "+")
	}
	return 0, false
}

func FuzzDecodeMemoryEvents(f *testing.F) {
	for _, s := range []string{memoryEvents(3), "oom_kill 5", "oom_kill x\n", "oom_kill 99999999999999999999\n", "oom_kill_group 3\noom_kill 1\n", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kills, ok := decodeMemoryEvents(b)
		want, wantOK := slowMemoryEvents(b)
		if ok != wantOK || ok && kills != want {
			t.Errorf("%q: %d %v, want %d %v", b, kills, ok, want, wantOK)
		}
	})
}
