package series

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// task makes a process that has used n seconds of CPU and holds n pages.
func task(pid, start, n uint64) platformtest.Task {
	return platformtest.Task{PID: pid, Start: start,
		Fields: map[platform.Field]uint64{
			platform.ProcessCPUUser: n * 1e9, platform.ProcessCPUSystem: 0, platform.ProcessMemoryRSS: n * 4096,
			platform.ProcessParent: 1, platform.ProcessState: uint64(platform.StateSleeping), platform.ProcessThreads: 1,
		},
		Texts: map[platform.Text]string{platform.ProcessCommand: "task", platform.ProcessExecutable: "/bin/task", platform.ProcessOwner: "root"},
	}
}

func crowd(n uint64) *platformtest.Bulk {
	b := &platformtest.Bulk{}
	for pid := range n {
		b.Start(task(pid+1, pid+1, pid+1))
	}
	return b
}

func open(t *testing.T, c Config, b platform.Backend) *Reader {
	t.Helper()
	r, err := Open(c, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// walk makes a pass, a moment after the one before, and returns what it yields by
// metric and attributes. Nothing may be yielded twice.
func walk(t *testing.T, r *Reader) map[string]Number {
	t.Helper()
	time.Sleep(time.Second) // of a fake clock: an earlier pass is shared
	all := map[string]Number{}
	r.Collect(t.Context(), func(s *Series, v Number) {
		name := r.Metrics()[s.Metric].Name + " " + s.Set.Encoded(attribute.DefaultEncoder())
		if _, ok := all[name]; ok {
			t.Errorf("%s is told twice", name)
		}
		all[name] = v
	})
	return all
}

// pick returns what a pass yields of a metric whose attributes contain a text.
func pick(all map[string]Number, metric, text string) (found []Number) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if m, set, _ := strings.Cut(name, " "); m == metric && strings.Contains(set, text) {
			found = append(found, all[name])
		}
	}
	return found
}

func bubble(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }

func TestWalk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := walk(t, open(t, Config{Processes: oneshot.All}, crowd(3)))
		for metric, want := range map[string]int{
			"process.cpu.time": 6, "process.memory.usage": 3, "process.thread.count": 3, "system.cpu.time": 1,
			"system.process.count": 4, "system.cpu.logical.count": 1, "process.uptime": 0, "system.memory.usage": 0,
		} {
			if got := pick(all, metric, ""); len(got) != want {
				t.Errorf("%d of %s, want %d", len(got), metric, want)
			}
		}
		if got := pick(all, "process.cpu.time", "cpu.mode=user,process.creation.time=2023-11-14T22:13:20.000Z,process.executable.name=task,process.pid=3"); len(got) != 1 || got[0].Float != 3 {
			t.Errorf("%v of\n%v", got, all)
		}
		if got := pick(all, "process.memory.usage", "process.pid=2"); len(got) != 1 || got[0].Int != 8192 {
			t.Errorf("%v", got)
		}
	})
}

// A series is the same from pass to pass, with what its consumer noted, until the
// process is called something else.
func TestSeriesAreMadeOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := crowd(2)
		r := open(t, Config{Processes: oneshot.All, Metrics: []string{"-*", "process.memory.usage"}}, b)
		look := func() (series []*Series) {
			time.Sleep(time.Second)
			r.Collect(t.Context(), func(s *Series, _ Number) { series = append(series, s) })
			return series
		}
		first := look()
		first[0].Note, first[1].Note = "a", "b"
		if again := look(); len(again) != 2 || again[0] != first[0] || again[1] != first[1] || again[1].Note != "b" {
			t.Errorf("another series: %v", again)
		}
		renamed := task(2, 2, 2)
		renamed.Texts[platform.ProcessExecutable] = "/bin/other"
		b.Start(renamed)
		after := look()
		if after[0] != first[0] || after[1] == first[1] || after[1].Note != nil {
			t.Errorf("the wrong series was made anew")
		}
		if name, _ := after[1].Set.Value("process.executable.name"); name.AsString() != "other" {
			t.Errorf("called %q", name.AsString())
		}
	})
}

// Of a process that has ended nothing is kept, whoever reported it.
func TestTheDeadAreForgotten(t *testing.T) {
	for _, processes := range []oneshot.Processes{oneshot.Top, oneshot.All} {
		bubble(t, func(t *testing.T) {
			b := crowd(40)
			r := open(t, Config{Processes: processes}, b)
			var dead []weak.Pointer[Series]
			r.Collect(t.Context(), func(s *Series, _ Number) {
				if pid, ok := s.Set.Value("process.pid"); ok && pid.AsInt64() > 10 {
					dead = append(dead, weak.Make(s))
				}
			})
			for pid := uint64(11); pid <= 40; pid++ {
				b.End(pid)
			}
			walk(t, r)
			runtime.GC()
			if kept := slices.DeleteFunc(slices.Clone(dead), func(p weak.Pointer[Series]) bool { return p.Value() == nil }); len(kept) > 0 || len(dead) == 0 {
				t.Errorf("processes %v: %d of %d series of the dead are kept", processes, len(kept), len(dead))
			}
		})
	}
}

// A PID that another process has now is another series.
func TestReusedPID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := crowd(2)
		r := open(t, Config{Processes: oneshot.All, Metrics: []string{"-*", "process.cpu.time"}}, b)
		walk(t, r)
		b.Start(task(2, 9e7, 1))
		all := walk(t, r)
		if got := pick(all, "process.cpu.time", "process.pid=2"); len(got) != 2 || got[0].Float+got[1].Float != 1 {
			t.Errorf("%v", all)
		}
		if got := pick(all, "process.cpu.time", "process.creation.time=2023-11-14T22:13:29.000Z"); len(got) != 2 {
			t.Errorf("%v", all)
		}
	})
}

// A number among the attributes begins new series when it changes, not when it
// can't be read.
func TestNumbersOfAttributes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := crowd(1)
		r := open(t, Config{Processes: oneshot.All, Metrics: []string{"-*", "process.memory.usage"},
			Attributes: []string{"process.parent_pid", "process.owner"}}, b)
		for i, parent := range []uint64{1, 0, 7} {
			p := task(1, 1, 1)
			p.Fields[platform.ProcessParent] = parent
			if parent == 0 {
				delete(p.Fields, platform.ProcessParent)
			}
			b.Start(p)
			want := fmt.Sprintf("process.owner=root,process.parent_pid=%d,", []int{1, 1, 7}[i])
			if all := walk(t, r); len(pick(all, "process.memory.usage", want)) != 1 {
				t.Errorf("step %d: no %s in %v", i, want, all)
			}
		}
	})
}

// The remainder shows what adds up, and is no process.
func TestRemainder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := crowd(100)
		r := open(t, Config{Processes: oneshot.Top}, b)
		walk(t, r)
		for pid := range uint64(100) {
			p := task(pid+1, pid+1, pid+1)
			p.Fields[platform.ProcessCPUUser] += 1e8
			b.Start(p)
		}
		all := walk(t, r)
		const other = "pidometer.process.group=other"
		for metric, want := range map[string]Number{
			"process.memory.usage": {Int: 4096 * 70 * 71 / 2}, "process.thread.count": {Int: 70},
		} {
			if got := pick(all, metric, other); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %v, want %v", metric, got, want)
			}
		}
		if got := pick(all, "process.cpu.time", "cpu.mode=user,"+other); len(got) != 1 || got[0].Float < 6.99 || got[0].Float > 7.01 {
			t.Errorf("process.cpu.time: %v, want the 0.1 s of each of 70", got)
		}
		for name := range all {
			if strings.Contains(name, other) && strings.Contains(name, "process.pid") {
				t.Errorf("%s", name)
			}
		}
		if got := pick(all, "process.memory.usage", ""); len(got) != 31 {
			t.Errorf("%d series, want 30 processes and the remainder", len(got))
		}
	})
}

func TestSelection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, test := range []struct {
			name      string
			config    Config
			some, not string // metrics
		}{
			{"none", Config{}, "system.cpu.time", "process.cpu.time"},
			{"none: no walk over all", Config{}, "system.cpu.time", "system.process.count"},
			{"self", Config{Processes: oneshot.Self}, "process.cpu.time", "system.process.count"},
			{"self, with the count", Config{Processes: oneshot.Self, Metrics: []string{"system.process.count"}}, "system.process.count", "process.cpu.utilization"},
			{"without host", Config{Processes: oneshot.All, WithoutHost: true}, "process.cpu.time", "system.cpu.time"},
			{"what nobody gives", Config{Processes: oneshot.All}, "process.cpu.time", "system.memory.usage"},
		} {
			r := open(t, test.config, crowd(2))
			enabled := map[string]bool{}
			for _, m := range r.Metrics() {
				enabled[m.Name] = true
			}
			if !enabled[test.some] || enabled[test.not] {
				t.Errorf("%s: %s %v, %s %v", test.name, test.some, enabled[test.some], test.not, enabled[test.not])
			}
			if all := walk(t, r); len(pick(all, test.some, "")) == 0 || len(pick(all, test.not, "")) != 0 {
				t.Errorf("%s: %v", test.name, all)
			}
		}
	})
}

// What a reader tells of itself alone has no identity: the Resource tells who it is.
func TestSelf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := walk(t, open(t, Config{Processes: oneshot.Self}, crowd(3)))
		if got, ok := all["process.cpu.time cpu.mode=user"]; !ok || got.Float != 1 {
			t.Errorf("%v", all)
		}
	})
}

// A metric that is split is shown in parts instead of whole.
func TestPerCPU(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := walk(t, open(t, Config{PerCPU: true, Metrics: []string{"-*", "system.cpu.time"}}, crowd(1)))
		if len(all) != 2 || len(pick(all, "system.cpu.time", "cpu.logical_number=1,cpu.mode=user")) != 1 {
			t.Errorf("%v", all)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for says, c := range map[string]Config{
		"no metric matches": {Metrics: []string{"bogus.*"}},
		"process.owner":     {Attributes: []string{"bogus"}},
		"bogus":             {Filter: []string{"bogus=1"}},
	} {
		if _, err := Open(c, crowd(1)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Readers at the same time get the same pass, each every series once.
func TestCollectIsShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := crowd(20)
		r := open(t, Config{Processes: oneshot.All, Metrics: []string{"-*", "process.memory.usage"}}, b)
		got := make(chan int)
		for range 8 {
			go func() {
				n := 0
				r.Collect(context.Background(), func(*Series, Number) { n++ })
				got <- n
			}()
		}
		for range 8 {
			if n := <-got; n != 20 {
				t.Errorf("%d series", n)
			}
		}
		if b.Calls() != 1 {
			t.Errorf("%d passes", b.Calls())
		}
	})
}
