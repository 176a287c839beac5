package simkernel

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// honest is a backend that tells the truth but for what a test changes.
type honest struct {
	*World
	sources []platform.Source
	sample  platform.Sample
	change  func(*platform.Sample) (times int)
}

func newHonest(w *World) *honest {
	b := &honest{World: w, change: func(*platform.Sample) int { return 1 }}
	for _, e := range []platform.Entity{platform.Process, platform.Host, platform.CPU, platform.Disk, platform.Network} {
		s := platform.Source{Name: e.String(), Entity: e, Clock: e == platform.Process}
		first, n := e.Block()
		for f := first; f < first+platform.Field(n); f++ {
			if truths[f] != nil {
				g := platform.Given{Field: f}
				if f.Info().Cumulative {
					g.Bits = 32
				}
				s.Gives = append(s.Gives, g)
			}
		}
		b.sources = append(b.sources, s)
	}
	return b
}

func (b *honest) Sources() []platform.Source                     { return b.sources }
func (b *honest) Boot() platform.Boot                            { return platform.Boot{Time: b.World.Boot, Tick: Tick} }
func (b *honest) Begin(context.Context) (platform.Reader, error) { return b, nil }
func (b *honest) Close() error                                   { return nil }
func (b *honest) Process(platform.Key, platform.SourceSet, platform.Sink) error {
	return os.ErrProcessDone
}

func (b *honest) Read(_ platform.SourceSet, sink platform.Sink) error {
	b.tell(sink, 1, platform.Key{}, subject{})
	for i := range b.CPUs {
		b.tell(sink, 2, platform.Key{ID: uint64(i)}, subject{cpu: &b.CPUs[i]})
	}
	for _, p := range b.Processes {
		b.tell(sink, 0, platform.Key{ID: p.PID, Start: uint64(p.Born / Tick)}, subject{process: p})
	}
	for _, d := range b.Disks {
		b.tell(sink, 3, platform.Key{Name: d.Name}, subject{disk: d})
	}
	for _, i := range b.Interfaces {
		b.tell(sink, 4, platform.Key{Name: i.Name}, subject{link: i})
	}
	for name, fields := range components(b.World) {
		b.sample.Reset(platform.Hardware, platform.Key{Name: name})
		for f, v := range fields {
			b.sample.Set(f, v)
		}
		for range b.change(&b.sample) {
			sink.Sample(&b.sample)
		}
	}
	return nil
}

// components are those of a machine that has a fan.
func components(w *World) map[string]map[platform.Field]uint64 {
	return map[string]map[platform.Field]uint64{"fan": {platform.HardwareFanSpeed: w.Sensors().Fan}}
}

func (b *honest) tell(sink platform.Sink, source int, key platform.Key, of subject) {
	s := &b.sample
	s.Reset(b.sources[source].Entity, key)
	for _, g := range b.sources[source].Gives {
		s.Set(g.Field, narrow(truths[g.Field](b.World, of), g))
	}
	for range b.change(s) {
		sink.Sample(s)
	}
}

// against checks a backend with a change.
func against(seed uint64, change func(*platform.Sample) int) error {
	return Check(Dialect{
		Open: func(w *World) (platform.Backend, error) {
			b := newHonest(w)
			if change != nil {
				b.change = change
			}
			return b, nil
		},
		Start:    func(_ *World, p *Process) uint64 { return uint64(p.Born / Tick) },
		Hardware: components,
	}, seed, 8, 200)
}

// The truth is no fault, in any world.
func TestHonest(t *testing.T) {
	for seed := range uint64(100) {
		if err := against(seed, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Each lie is found.
func TestLies(t *testing.T) {
	of := func(e platform.Entity, lie func(*platform.Sample) int) func(*platform.Sample) int {
		return func(s *platform.Sample) int {
			if s.Entity != e {
				return 1
			}
			return lie(s)
		}
	}
	for name, c := range map[string]struct {
		change func(*platform.Sample) int
		says   string
	}{
		"a field": {of(platform.Process, func(s *platform.Sample) int {
			v, _ := s.Get(platform.ProcessFaultsMinor)
			s.Set(platform.ProcessFaultsMinor, v+1)
			return 1
		}), "process.faults.minor is"},
		"half of a wrap": {of(platform.Host, func(s *platform.Sample) int {
			v, _ := s.Get(platform.HostContextSwitches)
			s.Set(platform.HostContextSwitches, v&(1<<31-1))
			return 1
		}), "host.context_switches is"},
		"nobody":       {of(platform.Process, func(*platform.Sample) int { return 0 }), "is not told of"},
		"twice":        {of(platform.Network, func(*platform.Sample) int { return 2 }), "is told of twice"},
		"another":      {of(platform.Process, func(s *platform.Sample) int { s.Key.Start++; return 1 }), "and there is none"},
		"a part":       {of(platform.Hardware, func(s *platform.Sample) int { s.Set(platform.HardwareFanSpeed, 4711); return 1 }), "hardware.fan.speed is 4711"},
		"half a part":  {of(platform.Hardware, func(s *platform.Sample) int { s.Clear(platform.HardwareFanSpeed); return 1 }), "hardware.fan.speed is 0 (told: false)"},
		"more of one":  {of(platform.Hardware, func(s *platform.Sample) int { s.Set(platform.HardwareVoltage, 1); return 1 }), "hardware.voltage is 1"},
		"no part":      {of(platform.Hardware, func(*platform.Sample) int { return 0 }), "is not told of"},
		"another part": {of(platform.Hardware, func(s *platform.Sample) int { s.Key.Name += "x"; return 1 }), "and there is none"},
		"a ghost":      {of(platform.Disk, func(s *platform.Sample) int { s.Key.Name += "x"; return 1 }), "and there is none"},
	} {
		if err := against(1, c.change); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "seed 1, step") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One seed is one world, and in a hundred of them everything happens.
func TestWorlds(t *testing.T) {
	happened := map[string]int{}
	var reused, wrapped, zombies, denied int
	measured := map[string]int{}
	for seed := range uint64(100) {
		a, b := New(seed, 8), New(seed, 8)
		owners := map[uint64]*Process{}
		for range 200 {
			a.Step()
			b.Step()
			happened[a.Happens]++
			if a.Happens != b.Happens || len(a.Processes) != len(b.Processes) || a.Now != b.Now {
				t.Fatalf("seed %d: two worlds", seed)
			}
			if len(a.Processes) > 8 {
				t.Fatalf("seed %d: %d processes", seed, len(a.Processes))
			}
			for _, p := range a.Processes {
				if had := owners[p.PID]; had != nil && had != p {
					reused++
				}
				owners[p.PID] = p
				zombies += int(one(p.State == Zombie))
				denied += int(one(p.Denied))
				wrapped += int(one(p.FaultsMinor>>32 > 0))
			}
			for what, is := range measures(a.Sensors()) {
				measured[what] += int(one(is))
			}
			if a.Find(a.Self) == nil || a.Find(1) == nil {
				t.Fatalf("seed %d: the observer or the first process has ended", seed)
			}
		}
	}
	for _, e := range events {
		if happened[e.name] == 0 {
			t.Errorf("%s never happens", e.name)
		}
	}
	if reused == 0 || wrapped == 0 || zombies == 0 || denied == 0 {
		t.Errorf("%d PIDs used again, %d wraps, %d zombies, %d denied", reused, wrapped, zombies, denied)
	}
	for what, n := range measured {
		if n == 0 {
			t.Errorf("%s: never measured", what)
		}
	}
	t.Logf("%v, %d PIDs used again", happened, reused)
}

// measures are what sensors should see some time.
func measures(s Sensors) map[string]bool {
	b := s.Battery
	return map[string]bool{
		"frost": s.Temperatures[0] < 0, "warmth": s.Temperatures[0] > s.Warm && s.Temperatures[0] <= s.Hot, "heat": s.Temperatures[0] > s.Hot,
		"a broken sensor": s.Broken >= 0, "only whole ones": s.Broken < 0, "a slow fan": s.Fan < s.Slow, "a voltage below 0": s.Volts < 0,
		"no battery": b.Absent, "a full one": b.Left == b.Full, "a low one": b.Left < b.Low, "one that warns of nothing": b.Low == 0,
		"one that is charged": b.Charging, "one that is discharged": b.Discharging, "one that rests": !b.Charging && !b.Discharging,
		"a supply": s.Supply, "no supply": !s.Supply,
	}
}
