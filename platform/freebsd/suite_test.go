package freebsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
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

// world is how FreeBSD tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) { return New(Options{Kernel: sim.New(w)}) },
	Exact: []platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle},
	// Microseconds since the start.
	Start: func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Born.Microseconds()) },
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world, seed, 8, simkernel.Steps) })
}
