package oneshot

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/monotonic"
	"github.com/pidometer/pidometer/platform"
)

var wantDisks = platform.Want{Fields: platform.Fields(platform.DiskReadBytes, platform.DiskReadTime)}

// disk runs a pass and returns what it shows of a disk.
func disk(p *Pass, name string, f platform.Field) (value uint64, start time.Time, ok bool) {
	p.Collect(context.Background(), func(p *Pass) {
		for r := range p.Rows(platform.Disk) {
			if r.Key.Name == name {
				value, ok = r.Value(f)
				start = p.StartOf(r, f)
			}
		}
	})
	return value, start, ok
}

func TestDeviceComesAndGoes(t *testing.T) {
	k, c := newScript(), newClock()
	k.disks["sda"] = 100
	p := New(Config{Backend: k, Want: wantDisks, Now: c.read})
	if v, start, _ := disk(p, "sda", platform.DiskReadBytes); v != 100 || !start.Equal(k.boot.Time) {
		t.Errorf("at first %d from %v, want 100 from boot", v, start)
	}
	c.advance(time.Second)
	k.disks["sda"] = 40
	if v, start, _ := disk(p, "sda", platform.DiskReadBytes); v != 140 || !start.Equal(k.boot.Time) {
		t.Errorf("after a restart in place %d from %v, want 140 from boot", v, start)
	}
	if n := p.Stats().Verdicts[monotonic.Restarted]; n != 1 {
		t.Errorf("%d restarts told, want 1", n)
	}
	delete(k.disks, "sda")
	k.disks["sdb"] = 1
	c.advance(time.Second)
	if _, _, ok := disk(p, "sda", platform.DiskReadBytes); ok {
		t.Error("a disk that is gone is still shown")
	}
	gone := c.now
	c.advance(time.Second)
	k.disks["sda"] = 7
	if v, start, _ := disk(p, "sda", platform.DiskReadBytes); v != 7 || !start.Equal(gone) {
		t.Errorf("after its return %d from %v, want 7 from %v", v, start, gone)
	}
}

func TestFailingSourceKeepsTheSeries(t *testing.T) {
	k, c := newScript(), newClock()
	k.disks["sda"] = 100
	p := New(Config{Backend: k, Want: wantDisks, Now: c.read})
	disk(p, "sda", platform.DiskReadBytes)
	c.advance(time.Second)
	k.disksFail = true
	if _, _, ok := disk(p, "sda", platform.DiskReadBytes); ok {
		t.Error("shown although its source was denied")
	}
	if n := p.Stats().Misses[Miss{"disks", platform.Denied}]; n != 1 {
		t.Errorf("%d denials counted, want 1", n)
	}
	c.advance(time.Second)
	k.disksFail = false
	if v, start, _ := disk(p, "sda", platform.DiskReadBytes); v != 100 || !start.Equal(k.boot.Time) {
		t.Errorf("then %d from %v, want 100 from boot", v, start)
	}
}

// 2^32 milliseconds are 49.7 days: on a host that is up longer nobody knows how
// often the counter wrapped before the first look.
func TestUncertainCounterStartsWithTheFirstLook(t *testing.T) {
	k, c := newScript(), newClock()
	c.advance(60 * 24 * time.Hour)
	k.disks["sda"] = 100
	p := New(Config{Backend: k, Want: wantDisks, Now: c.read})
	if _, start, _ := disk(p, "sda", platform.DiskReadTime); !start.Equal(c.now) {
		t.Errorf("32-bit milliseconds start at %v, want the first look %v", start, c.now)
	}
	if _, start, _ := disk(p, "sda", platform.DiskReadBytes); !start.Equal(k.boot.Time) {
		t.Errorf("64-bit bytes start at %v, want boot", start)
	}
}

func TestResetForgets(t *testing.T) {
	k, c := newScript(), newClock()
	k.disks["sda"] = 100
	p := New(Config{Backend: k, Want: wantDisks, Now: c.read})
	disk(p, "sda", platform.DiskReadBytes)
	c.advance(time.Second)
	k.disks["sda"] = 10
	p.Reset()
	if v, _, _ := disk(p, "sda", platform.DiskReadBytes); v != 10 {
		t.Errorf("after a reset %d, want 10", v)
	}
}

func TestRawShowsFalls(t *testing.T) {
	k, c := newScript(), newClock()
	k.disks["sda"] = 100
	p := New(Config{Backend: k, Want: wantDisks, Now: c.read, Raw: true})
	disk(p, "sda", platform.DiskReadBytes)
	c.advance(time.Second)
	k.disks["sda"] = 10
	if v, _, _ := disk(p, "sda", platform.DiskReadBytes); v != 10 {
		t.Errorf("raw value %d, want 10", v)
	}
}

func TestReadersShareAPass(t *testing.T) {
	k, c := newScript(), newClock()
	k.processes = []*process{{id: 1, start: 1}}
	p := newPass(k, c, All, 0)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { collect(p, platform.ProcessCPUUser) })
	}
	wait.Wait()
	if n := p.Stats().Passes; n != 1 {
		t.Errorf("8 readers at once made %d passes, want 1", n)
	}
	c.advance(199 * time.Millisecond)
	collect(p, platform.ProcessCPUUser)
	if n := p.Stats().Passes; n != 1 {
		t.Errorf("a reader after 199 ms made pass %d", n)
	}
	c.advance(time.Millisecond)
	collect(p, platform.ProcessCPUUser)
	if n := p.Stats().Passes; n != 2 {
		t.Errorf("a reader after 200 ms made pass %d, want 2", n)
	}
}

// A rate is the difference to a base at least a second old, the same for every
// reader however often they come.
func TestRates(t *testing.T) {
	k, c := newScript(), newClock()
	k.processes = []*process{{id: 1, start: 1}}
	p := New(Config{Backend: k, Want: wanted, Rates: platform.Fields(platform.ProcessCPUUser), Processes: All, Now: c.read})
	rate := func() (grown uint64, over time.Duration, ok bool) {
		p.Collect(context.Background(), func(p *Pass) {
			for r := range p.Rows(platform.Process) {
				grown, over, ok = r.Rate(platform.ProcessCPUUser)
			}
		})
		return grown, over, ok
	}
	for _, step := range []struct {
		wait  time.Duration
		grown uint64
		over  time.Duration
		ok    bool
	}{
		{0, 0, 0, false},
		{300 * time.Millisecond, 0, 0, false},
		{700 * time.Millisecond, 1000, time.Second, true},
		{300 * time.Millisecond, 1300, 1300 * time.Millisecond, true},
		{15 * time.Second, 15300, 15300 * time.Millisecond, true},
		{time.Second, 1000, time.Second, true},
	} {
		c.advance(step.wait)
		k.processes[0].user += uint64(step.wait / time.Millisecond)
		if grown, over, ok := rate(); grown != step.grown || over != step.over || ok != step.ok {
			t.Errorf("after %v more: %d in %v %v, want %d in %v %v", step.wait, grown, over, ok, step.grown, step.over, step.ok)
		}
	}
}

func TestCutShortServesWhatItHas(t *testing.T) {
	k, c := newScript(), newClock()
	k.processes = []*process{{id: 1, start: 1, user: 10}, {id: 2, start: 2, user: 20}}
	p := newPass(k, c, All, 0)
	collect(p, platform.ProcessCPUUser)
	k.processes[0].user, k.processes[1].user, k.stopAfter = 11, 21, 1
	c.advance(time.Second)
	if got := collect(p, platform.ProcessCPUUser); got[1] != 11 || got[2] != 20 {
		t.Errorf("a pass cut after the first process shows %v, want 11 and the old 20", got)
	}
	k.stopAfter = 0
	c.advance(time.Second)
	if got := collect(p, platform.ProcessCPUUser); got[2] != 21 {
		t.Errorf("the next one shows %v", got)
	}
}

func TestReusedPIDInheritsNothing(t *testing.T) {
	k, c := newScript(), newClock()
	k.processes = []*process{{id: 7, start: 1, user: 100e9}}
	p := newPass(k, c, All, 0)
	collect(p, platform.ProcessCPUUser)
	k.processes = []*process{{id: 7, start: 900, user: 1e9}}
	c.advance(10 * time.Second)
	if got := collect(p, platform.ProcessCPUUser); got[7] != 1e9 {
		t.Errorf("the new process 7 shows %d, want its own 1e9", got[7])
	}
	p.Collect(context.Background(), func(p *Pass) {
		for r := range p.Rows(platform.Process) {
			if want := k.boot.Created(900); !r.Start.Equal(want) {
				t.Errorf("starts at %v, want its creation %v", r.Start, want)
			}
		}
	})
}

func TestNames(t *testing.T) {
	k, c := newScript(), newClock()
	one := &process{id: 1, start: 1, command: raw("a\xffb")}
	two := &process{id: 2, start: 2, command: raw("sh"), path: raw("/bin/sh")}
	k.processes = []*process{one, two}
	p := newPass(k, c, All, 0)
	names := func() (out []string) {
		p.Collect(context.Background(), func(p *Pass) {
			for r := range p.Rows(platform.Process) {
				out = append(out, r.Executable)
			}
		})
		c.advance(time.Second)
		return out
	}
	if got := names(); !slices.Equal(got, []string{`a\xffb`, "sh"}) {
		t.Errorf("names %q", got)
	}
	one.command, two.command = raw("renamed"), raw("renamed")
	if got := names(); !slices.Equal(got, []string{`a\xffb`, "sh"}) {
		t.Errorf("after a rename %q: it must change no series", got)
	}
	two.path = raw(`/usr/bin/od\d`)
	if got := names(); got[1] != `od\d` {
		t.Errorf("after exec %q", got[1])
	}
}

func TestSelfAndStates(t *testing.T) {
	k, c := newScript(), newClock()
	k.processes = []*process{{id: 1, start: 1, user: 5}, {id: 2, start: 2, state: platform.StateDefunct}, {id: 3, start: 3, state: platform.StateSleeping}}
	want := wanted
	want.Fields = want.Fields.Union(platform.Fields(platform.HostProcessesRunning, platform.HostProcessesDefunct, platform.HostProcessesStopped))
	p := New(Config{Backend: k, Want: want, Processes: Self, Now: c.read})
	if got := collect(p, platform.ProcessCPUUser); len(got) != 1 || got[1] != 5 {
		t.Errorf("self shows %v", got)
	}
	p.Collect(context.Background(), func(p *Pass) {
		for f, want := range map[platform.Field]uint64{platform.HostProcessesRunning: 1, platform.HostProcessesDefunct: 1, platform.HostProcessesStopped: 0} {
			if v, ok := p.Host().Value(f); !ok || v != want {
				t.Errorf("%v = %d %v, want %d", f, v, ok, want)
			}
		}
	})
}

// State is bounded by what lives: 100,000 processes come and go, and nothing of
// them stays.
func TestStateIsBounded(t *testing.T) {
	k, c := newScript(), newClock()
	p := newPass(k, c, Top, 5)
	for i := range uint64(1000) {
		k.processes = k.processes[:0]
		for j := range uint64(100) {
			k.processes = append(k.processes, &process{id: j + 1, start: i*1000 + j, user: j})
		}
		collect(p, platform.ProcessCPUUser)
		c.advance(time.Second)
	}
	if n := len(p.tables[platform.Process].rows); n != 100 {
		t.Errorf("%d rows after 100,000 processes, want the 100 that live", n)
	}
}

func TestSteadyStateAllocatesNothingPerProcess(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	k, c := newScript(), newClock()
	for i := range uint64(1000) {
		k.processes = append(k.processes, &process{id: i + 1, start: i, path: raw("/bin/x"), command: raw("x")})
	}
	for _, processes := range []Processes{Top, All} {
		p := newPass(k, c, processes, 30)
		pass := func() {
			c.advance(time.Second)
			p.Collect(context.Background(), func(*Pass) {})
		}
		pass()
		pass()
		runtime.GC()
		if n := testing.AllocsPerRun(10, pass); n > 10 {
			t.Errorf("%v allocations in a pass over 1,000 processes where nothing changed (choice %d)", n, processes)
		}
	}
}
