package darwin

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/darwin"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up Mac.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) {
		w := simkernel.New(1, 8)
		for range 50 {
			w.Step()
		}
		return New(Options{Kernel: sim.New(w)})
	})
}

// ofTask are the fields that the kernel tells of processes of the same user alone.
var ofTask = []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual,
	platform.ProcessThreads, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor, platform.ProcessSwitches,
	platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes, platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem}

// world is how macOS tells of a world.
func world(intel bool) simkernel.Dialect {
	return simkernel.Dialect{
		Open: func(w *simkernel.World) (platform.Backend, error) {
			k := sim.New(w)
			k.Intel = intel
			return New(Options{Kernel: k})
		},
		// Microseconds since 1970.
		Start:   func(w *simkernel.World, p *simkernel.Process) uint64 { return uint64(w.Boot.Add(p.Born).UnixMicro()) },
		Undead:  ofTask,
		Refused: ofTask,
		// Whether one runs or sleeps its threads tell. Who is stopped or dead is seen by all.
		Untold: func(f platform.Field, p *simkernel.Process) bool {
			return f >= platform.ProcessRunning && f <= platform.ProcessDefunct && p.Denied && p.State < simkernel.Stopped
		},
	}
}

// What a backend reads is what is so, in every world and after every step of it, on both
// kinds of processors.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world(seed%2 == 0), seed, 8, simkernel.Steps) })
}
