package dragonfly

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/dragonfly"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up DragonFly.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) {
		w := simkernel.New(1, 8)
		for range 50 {
			w.Step()
		}
		return New(Options{Kernel: sim.New(w)})
	})
}

// Every promise of an inspector holds on it too.
func TestInspector(t *testing.T) { simkernel.TestInspector(t, world, Details()) }

// world is how DragonFly tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) { return New(Options{Kernel: sim.New(w)}) },
	Undead: []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor,
		platform.ProcessDiskReads, platform.ProcessDiskWrites, platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary},
	Hides: func(entity platform.Entity, _ string) bool { return entity == platform.Disk }, // not read
	Exact: []platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle},
	// Microseconds since 1970, as the clock was set then.
	Start: func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Clock.Microseconds()) },
	Details: simkernel.Details{
		Adjust: tell,
		Lacks:  []string{"Environment", "Root", "Affinity", "OpenFiles", "Connections", "MemoryMaps", "Limits"},
		Lost:   true,
	},
}

// tell makes a story what DragonFly tells of it.
func tell(_ *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	if p.State != simkernel.Zombie {
		s.Threads[0].CPU.User -= p.User / 2 / simkernel.Tick * simkernel.Tick // of threads that have ended
	}
}

// What is told of one process is what is so, in every world and after every step of it.
func TestInspection(t *testing.T) {
	simkernel.Simulate(t, worlds/10, func(seed uint64) error { return simkernel.CheckDetails(world, seed, 8, simkernel.Steps) })
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world, seed, 8, simkernel.Steps) })
}

// What a watch tells is what happens, in every world: to whom, and how it ended.
func TestWatch(t *testing.T) { simkernel.Watches(t, world, worlds) }

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, world, func(w *simkernel.World) (platform.Backend, func() int) {
		k := sim.New(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, func() int { return k.Open }
	})
}

// What one pass saves against asking for one field after the other is printed.
func TestSingleReads(t *testing.T) {
	simkernel.SingleReads(t, 10, "has none for DragonFly", func(w *simkernel.World) (platform.Backend, map[string]int) {
		k := sim.New(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Calls
	})
}
