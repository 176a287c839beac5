package freebsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up FreeBSD.
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

// world is how FreeBSD tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) { return New(Options{Kernel: sim.New(w)}) },
	Exact: []platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle},
	// Microseconds since the start.
	Start: func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Born.Microseconds()) },
	Details: simkernel.Details{
		Adjust:  tell,
		Lacks:   []string{"IOPriority", "SocketStats"},
		Refused: []string{"Environment", "WorkingDirectory", "Root", "OpenFiles", "Connections", "MemoryMaps", "Limits"},
	},
}

// tell makes a story what FreeBSD tells of it.
func tell(_ *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	priority := 120
	s.Identity.Priority, s.Identity.Letter = &priority, "RSTZ"[p.State]
	cpu := int(p.CPU)
	s.Identity.LastCPU = &cpu
	s.Connections[0].Inode = 0xffff_f800_0000_0080 + p.PID<<8
	for i := range s.MemoryMaps {
		s.MemoryMaps[i].Use = &platform.MemoryUse{RSS: 3 * sim.Page, PrivateDirty: sim.Page, SharedDirty: 2 * sim.Page, Coarse: true}
	}
	for _, l := range limitNames {
		s.Limits = append(s.Limits, platform.Limit{Name: l.Name, Unit: l.Unit, Soft: platform.Bound{Value: 1024}, Hard: platform.Bound{Infinite: true}})
	}
	sysctl.SortLimits(s.Limits)
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
	simkernel.SingleReads(t, 10, "2.18x", func(w *simkernel.World) (platform.Backend, map[string]int) {
		k := sim.New(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Calls
	})
}
