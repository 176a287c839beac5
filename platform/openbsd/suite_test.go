package openbsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// machine is a made-up OpenBSD some time after its start.
func machine() *bsd.Kernel {
	w := simkernel.New(3, 8)
	for range 60 {
		w.Step()
	}
	return bsd.OpenBSD(w)
}

// Every promise of package platform holds on a made-up OpenBSD.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) { return New(Options{Kernel: machine()}) })
}

// Every promise of an inspector holds on it too.
func TestInspector(t *testing.T) { simkernel.TestInspector(t, world, Details()) }

// living are the fields that a zombie has not.
var living = []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessAddressSpace,
	platform.ProcessMemoryPeak, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor, platform.ProcessDiskReads, platform.ProcessDiskWrites,
	platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessThreads, platform.ProcessCPUNumber, platform.ProcessUptime}

// world is how OpenBSD tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) { return New(Options{Kernel: bsd.OpenBSD(w)}) },
	Exact: []platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle},
	// Microseconds since the kernel's start.
	Start:  func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Born.Microseconds()) },
	Undead: living,
	Details: simkernel.Details{
		Adjust: tell,
		Start: func(w *simkernel.World, p *simkernel.Process) uint64 {
			if p.State == simkernel.Zombie {
				return 0
			}
			return uint64(p.Born.Microseconds())
		},
		Lacks:   []string{"Executable", "Root", "Affinity", "Limits"},
		Refused: []string{"Environment", "WorkingDirectory", "MemoryMaps"},
	},
}

// tell makes a story what OpenBSD tells of it. When zombies were made is not told.
func tell(_ *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	priority := bsd.Priority
	s.Identity.Priority, s.Identity.Letter = &priority, "RSTZ"[p.State]
	s.Identity.Children = platform.CPUTimes{}
	if p.State == simkernel.Zombie {
		s.Identity.CPU = platform.CPUTimes{}
	}
	s.OpenFiles[0].Path = ""
	s.Connections[0].Inode, s.Connections[1].Inode = bsd.Address(p), bsd.Address(p)+0x40
	s.MemoryMaps[0].Path, s.MemoryMaps[0].Inode = "[object]", 0
	s.MemoryMaps = append(s.MemoryMaps, platform.MemoryMap{Start: bsd.StackAt, End: bsd.StackAt + simkernel.MapLength, Permissions: "rw-p", Path: "[stack]"})
	for i := range s.Threads {
		s.Threads[i].Name = ""
	}
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world, seed, 8, simkernel.Steps) })
}

// What is told of one process is what is so, in every world and after every step of it.
func TestInspection(t *testing.T) {
	simkernel.Simulate(t, worlds/10, func(seed uint64) error { return simkernel.CheckDetails(world, seed, 8, simkernel.Steps) })
}

// What a watch tells is what happens, in every world: to whom, and how it ended.
func TestWatch(t *testing.T) { simkernel.Watches(t, world, worlds) }

// Single processes are looked up as they are, and what is not whole is refused.
func TestWho(t *testing.T) {
	k := machine()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	l := simkernel.Lookup{Dialect: world, World: k.World, Answers: &k.Answers, Row: rowLength, Vital: []string{"proc", "boottime"},
		Find: func(pid uint64) (simkernel.Known, error) {
			known, err := b.(*backend).Backend.Who(pid)
			return simkernel.Known{Key: known.Key, Parent: known.Parent, Command: string(known.Command)}, err
		}}
	l.Check(t)
}

const rowLength = rowSize

// Each number of sys/proc.h has its state, and one that is not there has none.
func TestStates(t *testing.T) {
	row := make([]byte, rowSize)
	for number, want := range map[byte]platform.State{1: platform.StateSleeping, 2: platform.StateRunning, 3: platform.StateSleeping,
		4: platform.StateStopped, 5: platform.StateDefunct, 6: platform.StateDefunct, 7: platform.StateRunning} {
		row[statAt] = number
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("state %d is %v (%v), want %v", number, got, ok, want)
		}
	}
	row[statAt] = 9
	if got, ok := stateOf(row); ok {
		t.Errorf("state 9 is %v", got)
	}
}

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, world, func(w *simkernel.World) (platform.Backend, func() int) {
		k := bsd.OpenBSD(w)
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
		k := bsd.OpenBSD(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Calls
	})
}
