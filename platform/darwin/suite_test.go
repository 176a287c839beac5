package darwin

import (
	"context"
	"fmt"
	"reflect"
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
		for _, p := range w.Processes {
			p.Denied = false // as for root
		}
		return New(Options{Kernel: sim.New(w)})
	})
}

// Every promise of an inspector holds on it too.
func TestInspector(t *testing.T) { simkernel.TestInspector(t, world(false), Details()) }

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
		Start:   func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Clock.Microseconds()) },
		Undead:  ofTask,
		Refused: ofTask,
		// Whether one runs or sleeps its threads tell. Who is stopped or dead is seen by all.
		Untold: func(f platform.Field, p *simkernel.Process) bool {
			return f >= platform.ProcessRunning && f <= platform.ProcessDefunct && p.Denied && p.State < simkernel.Stopped
		},
		Details: simkernel.Details{
			Adjust:  tell,
			Lacks:   []string{"Affinity", "Limits"},
			Refused: []string{"Arguments", "Environment", "WorkingDirectory", "Root", "OpenFiles", "Connections", "Threads", "MemoryMaps"},
		},
	}
}

// tell makes a story what macOS tells of it.
func tell(_ *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	id := &s.Identity
	id.Session, id.LastCPU = nil, nil
	if p.Denied || p.State == simkernel.Zombie {
		id.CPU, id.Children = platform.CPUTimes{}, platform.CPUTimes{}
	} else {
		priority := 31
		id.Priority = &priority
	}
	if p.Denied && p.State < simkernel.Stopped {
		id.State = nil
	}
	s.Connections[0].Inode, s.Connections[1].Inode = sim.Handle(p), sim.Handle(p)+1
	for i := range s.MemoryMaps {
		s.MemoryMaps[i].Use = &platform.MemoryUse{RSS: 3 * sim.Page, PrivateDirty: sim.Page, SharedDirty: 2 * sim.Page, Coarse: true}
	}
}

// What is told of one process is what is so, in every world and after every step of it.
func TestInspection(t *testing.T) {
	simkernel.Simulate(t, worlds/10, func(seed uint64) error { return simkernel.CheckDetails(world(seed%2 == 0), seed, 8, simkernel.Steps) })
}

// What a backend reads is what is so, in every world and after every step of it, on both
// kinds of processors.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(world(seed%2 == 0), seed, 8, simkernel.Steps) })
}

// What a watch tells is what happens to those that are followed, in every world: what runs
// another program, and how it ended, unless that is denied.
func TestWatch(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error {
		if err := watch(simkernel.New(seed, 8)); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		return nil
	})
}

func watch(w *simkernel.World) error {
	b, err := New(Options{Kernel: sim.New(w)})
	if err != nil {
		return err
	}
	defer b.Close()
	q, err := b.(platform.Watcher).Watch(context.Background(),
		platform.WatchOptions{Kinds: platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)})
	if err != nil {
		return err
	}
	defer q.Close()
	h := happened{followed: map[uint64]*pursued{}}
	w.Hear = append(w.Hear, &h)
	for step := range simkernel.Steps {
		for _, p := range w.Processes {
			if h.followed[p.PID] != nil || p.State == simkernel.Zombie {
				continue
			}
			o := &pursued{key: platform.Key{ID: p.PID, Start: uint64(p.Clock.Microseconds())}, denied: p.Denied}
			if err := q.Follow(o.key); err != nil {
				return err
			}
			h.followed[p.PID] = o
		}
		w.Step()
		var told []platform.Occurrence
		err := q.Read(func(o *platform.Occurrence) {
			c := *o
			c.Command = nil
			told = append(told, c)
		})
		if err != nil || !reflect.DeepEqual(told, h.want) {
			return fmt.Errorf("step %d (%s): told %+v, %v, want %+v", step, w.Happens, told, err, h.want)
		}
		h.want = nil
	}
	return nil
}

// pursued is a process that is followed.
type pursued struct {
	key    platform.Key
	denied bool // when it was followed
}

// happened is what becomes of those that are followed.
type happened struct {
	followed map[uint64]*pursued
	want     []platform.Occurrence
}

func (h *happened) Forked(uint64, uint64) {} // passes tell of whom nobody follows

func (h *happened) Executed(pid uint64) {
	if o := h.followed[pid]; o != nil {
		h.want = append(h.want, platform.Occurrence{Kind: platform.ProcessExecuted, Key: o.key})
	}
}

func (h *happened) Exited(pid, status uint64) {
	o := h.followed[pid]
	if o == nil {
		return
	}
	delete(h.followed, pid)
	exit := platform.Exit{}
	if !o.denied {
		exit = platform.Exit{Known: true, Signal: int(status & 0x7f), Code: int64(status >> 8)}
		exit.Core = exit.Signal != 0 && status&0x80 != 0
		if exit.Signal != 0 {
			exit.Code = 0
		}
	}
	h.want = append(h.want, platform.Occurrence{Kind: platform.ProcessExited, Key: o.key, Exit: exit})
}

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, world(false), func(w *simkernel.World) (platform.Backend, func() int) {
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
	simkernel.SingleReads(t, 10, "1.92x", func(w *simkernel.World) (platform.Backend, map[string]int) {
		k := sim.New(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Calls
	})
}
