package solaris

import (
	"slices"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up illumos.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) {
		w := simkernel.New(1, 8)
		for range 50 {
			w.Step()
		}
		return New(Options{Kernel: sim.New(w), Budget: time.Hour})
	})
}

// used are the fields of a process that its usage tells, and held those of psinfo that a
// zombie has not.
var (
	used = fieldsOf(usageSource)
	held = []platform.Field{platform.ProcessThreads, platform.ProcessMemoryVirtual, platform.ProcessMemoryRSS, platform.ProcessNice, platform.ProcessCPUNumber}
	kept = []platform.Field{platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem}
)

func fieldsOf(source int) (fields []platform.Field) {
	for _, g := range Sources()[source].Gives {
		fields = append(fields, g.Field)
	}
	return fields
}

// world is how illumos tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) {
		return New(Options{Kernel: sim.New(w), Budget: time.Hour})
	},
	Undead:  slices.Concat(used, held, kept),
	Refused: kept,
	// Nanoseconds since 1970.
	Start: func(w *simkernel.World, p *simkernel.Process) uint64 {
		return uint64(w.Boot.UnixNano()) + uint64(p.Born)
	},
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world, seed, 8, simkernel.Steps) })
}
