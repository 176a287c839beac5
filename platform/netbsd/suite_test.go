package netbsd

import (
	"fmt"
	"math"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// machine is a made-up NetBSD some time after its start.
func machine() *bsd.Kernel {
	w := simkernel.New(3, 8)
	for range 60 {
		w.Step()
	}
	return bsd.NetBSD(w)
}

// Every promise of package platform holds on a made-up NetBSD.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) { return New(Options{Kernel: machine()}) })
}

// Every promise of an inspector holds on it too.
func TestInspector(t *testing.T) { simkernel.TestInspector(t, world, Details()) }

// living are the fields that a zombie has not.
var living = []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual,
	platform.ProcessMemoryPeak, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor, platform.ProcessDiskReads, platform.ProcessDiskWrites,
	platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessThreads, platform.ProcessCPUNumber, platform.ProcessUptime}

// world is how NetBSD tells of a world.
var world = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) { return New(Options{Kernel: bsd.NetBSD(w)}) },
	Exact: []platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle},
	// Microseconds since 1970, as the clock was set then.
	Start:    func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Clock.Microseconds()) },
	Undead:   living,
	Hardware: hardware,
	Details: simkernel.Details{
		Adjust: tell,
		Start: func(w *simkernel.World, p *simkernel.Process) uint64 {
			if p.State == simkernel.Zombie {
				return 0
			}
			return uint64(p.Clock.Microseconds())
		},
		Lacks:   []string{"Root"},
		Refused: []string{"Environment", "WorkingDirectory", "MemoryMaps"},
	},
}

// hardware is what sensors measure, as NetBSD's drivers name them.
func hardware(w *simkernel.World) map[string]map[platform.Field]uint64 {
	s := w.Sensors()
	one := func(is bool) uint64 {
		if is {
			return 1
		}
		return 0
	}
	all := map[string]map[platform.Field]uint64{
		"acpiacad0": {platform.HardwareOnline: one(s.Supply)},
		"acpitz0.sensor0": {platform.HardwareTemperature: uint64(s.Temperatures[0]),
			platform.HardwareTemperatureHighDegraded: uint64(s.Warm), platform.HardwareTemperatureHighCritical: uint64(s.Hot),
			platform.HardwareOK: one(s.Temperatures[0] <= s.Warm), platform.HardwareDegraded: one(s.Temperatures[0] > s.Warm && s.Temperatures[0] <= s.Hot),
			platform.HardwareFailed: one(s.Temperatures[0] > s.Hot)},
		"lm0.sensor0": {platform.HardwareFanSpeed: s.Fan, platform.HardwareFanSpeedLowDegraded: s.Slow, platform.HardwareFanSpeedMax: 5000,
			platform.HardwareOK: one(s.Fan >= s.Slow), platform.HardwareDegraded: one(s.Fan < s.Slow), platform.HardwareFailed: 0},
		"lm0.sensor1": {platform.HardwareVoltage: uint64(s.Volts)},
	}
	for i, t := range s.Temperatures {
		if i != s.Broken {
			all[fmt.Sprintf("coretemp%d.sensor0", i)] = map[platform.Field]uint64{platform.HardwareTemperature: uint64(t),
				platform.HardwareOK: one(t <= s.Hot), platform.HardwareDegraded: 0, platform.HardwareFailed: one(t > s.Hot)}
		}
	}
	if b := s.Battery; !b.Absent {
		all["acpibat0.sensor2"] = map[platform.Field]uint64{platform.HardwareVoltage: 12_399}
		all["acpibat0"] = power(s, b)
	}
	return all
}

// power are the fields of a battery.
func power(s simkernel.Sensors, b simkernel.Battery) map[platform.Field]uint64 {
	const longest = 100 * 24 * 3600
	fields := map[platform.Field]uint64{platform.HardwareCharge: uint64(math.Round(float64(b.Left) / float64(b.Full) * 1e6))}
	if b.Low > 0 {
		fields[platform.HardwareChargeLowDegraded] = uint64(math.Round(min(float64(b.Low)/float64(b.Full), 1) * 1e6))
	}
	state, clock, amount := platform.Field(0), platform.Field(0), uint64(0)
	switch {
	case b.Charging:
		state, clock, amount = platform.HardwareCharging, platform.HardwareTimeCharging, b.Full-b.Left
	case b.Discharging:
		state, clock, amount = platform.HardwareDischarging, platform.HardwareTimeDischarging, b.Left
	case s.Supply && b.Left == b.Full:
		state = platform.HardwareFull
	case s.Supply:
		state = platform.HardwareNotCharging
	}
	if state != 0 {
		for _, f := range []platform.Field{platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareFull, platform.HardwareNotCharging} {
			fields[f] = 0
		}
		fields[state] = 1
	}
	if seconds := amount * 3600 / max(b.Flow, 1); clock != 0 && seconds < longest {
		fields[clock] = seconds * 1e9
	}
	return fields
}

// tell makes a story what NetBSD tells of it. When zombies were made is not told, and the time
// of a thread is told as one.
func tell(_ *simkernel.World, p *simkernel.Process, s *simkernel.Story) {
	priority := bsd.Priority
	s.Identity.Priority, s.Identity.Letter = &priority, "OSTZ"[p.State]
	s.Identity.Children = platform.CPUTimes{}
	if p.State == simkernel.Zombie {
		s.Identity.CPU = platform.CPUTimes{}
	}
	s.OpenFiles[0].Path = ""
	if chosen := bsd.Chosen(p); chosen != nil {
		s.Affinity.CPUs = chosen
	}
	s.Connections[0].Inode, s.Connections[1].Inode = bsd.Address(p), bsd.Address(p)+0x40
	for i := range s.Threads {
		s.Threads[i].CPU = platform.CPUTimes{User: s.Threads[i].CPU.User + s.Threads[i].CPU.System}
	}
	for _, l := range limitNames {
		s.Limits = append(s.Limits, platform.Limit{Name: l.Name, Unit: l.Unit, Soft: platform.Bound{Value: 1024}, Hard: platform.Bound{Infinite: true}})
	}
	sysctl.SortLimits(s.Limits)
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
	l := simkernel.Lookup{Dialect: world, World: k.World, Answers: &k.Answers, Row: rowLength, Vital: []string{"proc"},
		Find: func(pid uint64) (simkernel.Known, error) {
			known, err := b.(*backend).Backend.Who(pid)
			return simkernel.Known{Key: known.Key, Parent: known.Parent, Command: string(known.Command)}, err
		}}
	l.Check(t)
}

var rowLength = table().Size

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, world, func(w *simkernel.World) (platform.Backend, func() int) {
		k := bsd.NetBSD(w)
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
		k := bsd.NetBSD(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return b, k.Calls
	})
}
