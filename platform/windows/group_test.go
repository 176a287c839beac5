package windows

import (
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// manyGroups gives a world two processor groups of 64 and 32 CPUs.
func manyGroups(w *world) {
	for len(w.processors[0]) < groupSize {
		w.processors[0] = append(w.processors[0], w.processors[0][0])
	}
	w.processors = append(w.processors, w.processors[0][:32])
}

// The CPUs of a process are those of its mask in its group, or all of its groups.
func TestAffinityOverGroups(t *testing.T) {
	w := newWorld(8)
	manyGroups(w)
	for _, c := range []struct {
		groups []uint16
		first  []int
		count  uint64
	}{
		{[]uint16{0}, []int{0, 1, 3}, 3},
		{[]uint16{1}, []int{64, 65, 67}, 3},
		{[]uint16{0, 1}, []int{0, 1, 2}, 96},
		{[]uint16{7}, []int{448, 449, 451}, 3}, // came after boot
		{nil, nil, absent},
	} {
		w.tasks[3].groups = c.groups
		a := got[platform.Affinity](t)(inspected(t, w, 612).Affinity())
		if len(a.CPUs) < len(c.first) || !slices.Equal(a.CPUs[:len(c.first)], c.first) || len(a.CPUs) != int(c.count) && c.count != absent {
			t.Errorf("%v: %v", c.groups, a)
		}
		s, _ := passOver(t, opened(t, w), 1<<fromAffinity).process(612)
		expect(t, "affinity", s, map[platform.Field]uint64{platform.ProcessCPUAllowed: c.count})
	}
	w.calls = map[string]int{}
	b := opened(t, w)
	passOver(t, b, 1<<fromAffinity)
	passOver(t, b, 1<<fromAffinity)
	if calls, _ := w.counts(); calls["SystemEx"] != 1 {
		t.Errorf("groups were asked for %d times", calls["SystemEx"])
	}
}

// Class, terminal and base priority are told with and without a handle.
func TestPriorityClass(t *testing.T) {
	w := newWorld(8)
	w.sessions[1].ID = 0x1
	w.tasks[3].values[0x48], w.tasks[3].values[0x64] = 13, 1
	id := got[platform.Identity](t)(inspected(t, w, 612).Identity())
	if id.PriorityClass != "above_normal" || *id.Priority != 13 || id.Terminal == nil || *id.Terminal != "Console" {
		t.Errorf("%+v", id)
	}
	w.tasks[3].denied = true
	w.tasks[3].values[0x64] = 0
	id = got[platform.Identity](t)(inspected(t, w, 612).Identity())
	if id.PriorityClass != "high" || id.Owner != nil || *id.Terminal != "" {
		t.Errorf("refused: %+v", id)
	}
	w.tasks[3].values[0x48], w.fail["Sessions"] = 9, errRefused
	id = got[platform.Identity](t)(inspected(t, w, 612).Identity())
	if id.PriorityClass != "" || id.Terminal != nil {
		t.Errorf("of no class: %+v", id)
	}
}

// The kernel's answer by PID is taken for the program with the name in the table, and
// for nobody else who has the PID by then.
func TestImageWithoutHandle(t *testing.T) {
	w := newWorld(8)
	w.tasks[3].denied, w.tasks[4].denied = true, true
	w.tasks[3].nativeImage = wide(`\Device\HarddiskVolume9\bin\SVCHOST.EXE`)
	w.tasks[4].nativeImage = wide(`\Device\HarddiskVolumeC\other.exe`)
	r := passOver(t, opened(t, w), 1<<fromImage)
	s, _ := r.process(612)
	if path := s.texts[platform.ProcessExecutable]; path != `\Device\HarddiskVolume9\bin\SVCHOST.EXE` {
		t.Errorf("on a volume without a letter: %q", path)
	}
	s, _ = r.process(4711)
	if path, ok := s.texts[platform.ProcessExecutable]; ok || r.misses[fromImage][platform.Gone] != 1 {
		t.Errorf("another program: %q, missed %v", path, r.misses)
	}
}
