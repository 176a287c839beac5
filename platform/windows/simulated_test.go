package windows_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/windows"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/windows"
)

// simulated opens a backend on a Windows that tells of a world to a program with pointers of so
// many bytes. Whoever looks runs, and was switched to.
func simulated(w *simkernel.World, word int) (platform.Backend, *sim.Kernel, error) {
	w.Steady = true // an old start is told as the clock stood then
	w.Find(w.Self).Voluntary++
	k := sim.New(w, word)
	b, err := windows.New(windows.Options{Kernel: k, Budget: time.Minute})
	return b, k, err
}

// dialect is how Windows tells of a world.
func dialect(word int) simkernel.Dialect {
	return simkernel.Dialect{
		Open: func(w *simkernel.World) (platform.Backend, error) {
			b, _, err := simulated(w, word)
			return b, err
		},
		// Units of 100 ns since 1970.
		Start: func(_ *simkernel.World, p *simkernel.Process) uint64 {
			return uint64(p.Clock / (100 * time.Nanosecond))
		},
		Disk: func(d *simkernel.Disk) platform.Key {
			return platform.Key{Name: "PhysicalDrive" + strconv.Itoa(sim.DiskNumber(d))}
		},
		Reaped: true,
	}
}

// What this backend reads is what is so, in every world that is simulated for the other kernels
// too, and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(dialect(8), seed, 8, simkernel.Steps) })
}

// So it is to a program of 32 bits, which is not told what a process moved to and from disks.
func TestSimulationOf32Bits(t *testing.T) {
	d := dialect(4)
	d.Untold = func(f platform.Field, _ *simkernel.Process) bool {
		switch f {
		case platform.ProcessDiskReads, platform.ProcessDiskWrites, platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes:
			return true
		}
		return false
	}
	simkernel.Simulate(t, worlds/5, func(seed uint64) error { return simkernel.Check(d, seed, 8, simkernel.Steps) })
}

// Nothing is kept of what is gone: 10,000 passes leave memory and handles as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, dialect(8), func(w *simkernel.World) (platform.Backend, func() int) {
		b, k, err := simulated(w, 8)
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Handles
	})
}
