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

// Every promise of an inspector holds on it too.
func TestInspector(t *testing.T) { simkernel.TestInspector(t, world, Details()) }

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
	// Nanoseconds since 1970, as the clock was set then.
	Start: func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Clock) },
	Details: simkernel.Details{
		Adjust:  tellStory,
		Lacks:   []string{"IOPriority", "SocketStats", "Limits"},
		Refused: []string{"Arguments", "Environment", "Executable", "WorkingDirectory", "Root", "OpenFiles", "Connections", "MemoryMaps"},
		Start:   startTold,
	},
}

// startTold is 0 of a zombie: nobody saw it while it lived.
func startTold(_ *simkernel.World, p *simkernel.Process) uint64 {
	if p.State == simkernel.Zombie {
		return 0
	}
	return uint64(p.Clock)
}

// tellStory makes a story what illumos tells of it.
func tellStory(w *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	id := &s.Identity
	id.Letter = "OSTZ"[p.State]
	for _, list := range [][]platform.Relative{s.Children, s.Descendants, s.Parents} {
		for i := range list {
			if list[i].Key.Start == 0 {
				list[i].Command = ""
			}
		}
	}
	if p.State == simkernel.Zombie {
		*id = platform.Identity{Key: id.Key, Letter: id.Letter, State: id.State, Parent: id.Parent, Group: id.Group, Session: id.Session, Owner: id.Owner, Users: id.Users, Groups: id.Groups}
		id.Users.Saved, id.Groups.Saved = nil, nil
		return
	}
	priority := 59
	id.Priority, id.Policy = &priority, "other"
	if p.Denied {
		id.Users.Saved, id.Groups.Saved, id.Supplementary, id.Children = nil, nil, nil, platform.CPUTimes{}
	}
	for i := range s.Threads {
		t := &s.Threads[i]
		t.Key.Start = startTold(w, p) + uint64(i)
		if p.Denied {
			t.Name = ""
		}
	}
	s.Connections[0].Inode = sim.Inode(p)
	s.MemoryMaps[0].Device = 5
	for _, region := range []struct {
		at              uint64
		name, permitted string
	}{{sim.HeapAt, "[heap]", "rw-p"}, {sim.StackAt, "[stack]", "rw-p"}, {sim.SharedAt, "[shmid]", "rw-s"}} {
		s.MemoryMaps = append(s.MemoryMaps, platform.MemoryMap{Start: region.at, End: region.at + simkernel.MapLength, Permissions: region.permitted, Path: region.name})
	}
	for i := range s.MemoryMaps {
		m := &s.MemoryMaps[i]
		m.Use = &platform.MemoryUse{RSS: 3 * sim.PageSize, PrivateDirty: sim.PageSize, SharedDirty: 2 * sim.PageSize, Coarse: true}
		if m.Permissions[3] == 's' {
			m.Use.PrivateDirty, m.Use.SharedDirty = 0, 3*sim.PageSize
		}
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

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, world, func(w *simkernel.World) (platform.Backend, func() int) {
		k := sim.New(w)
		b, err := New(Options{Kernel: k, Budget: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return b, nil
	})
}
