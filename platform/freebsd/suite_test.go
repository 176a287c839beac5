package freebsd

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
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

var (
	seeds = flag.Uint64("seeds", worlds, "how many worlds are simulated")
	seed  = flag.Uint64("seed", 0, "simulate the world of this seed alone, unless 0")
)

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
	first, last := uint64(1), *seeds
	if *seed != 0 {
		first, last = *seed, *seed
	}
	var next, failed atomic.Uint64
	next.Store(first)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for s := next.Add(1) - 1; s <= last && failed.Load() == 0; s = next.Add(1) - 1 {
				if err := simkernel.Check(world, s, 8, 200); err != nil {
					failed.Store(s)
					t.Errorf("%v\nreplay with: go test ./platform/freebsd -run '^TestSimulation$' -seed %d", err, s)
				}
			}
		})
	}
	all.Wait()
}
