package windows

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
)

// simulatedKernel is a [world] that tells of a simulated one, as that is whenever it is asked.
type simulatedKernel struct {
	*world
	told *simkernel.World
}

// units100 are units of 100 ns.
func units100(d time.Duration) uint64 { return uint64(d / tickNanos) }

// refresh makes the world what is so now. A process that has ended is in no table here, and
// the kernel's idle process is none.
func (k *simulatedKernel) refresh() {
	w, t := k.world, k.told
	w.self, w.boot = t.Self, filetime(t.Boot)
	w.now = w.boot + units100(t.Now)
	w.tasks = w.tasks[:0]
	for _, p := range t.Processes {
		if p.State != simkernel.Zombie {
			w.tasks = append(w.tasks, taskOf(p))
		}
	}
	w.processors = [][]processor{{}}
	for i, c := range t.CPUs {
		w.processors[0] = append(w.processors[0], processor{id: uint64(i), idle: units100(c.Idle), user: units100(c.User),
			kernel: units100(c.Idle + c.System + c.Interrupt), interrupt: units100(c.Interrupt)})
	}
	performance := make([]byte, performanceSize+32)
	binary.LittleEndian.PutUint32(performance[performanceSwitches:], uint32(t.Switches))
	w.answers[classPerformance] = performance
	rows := [][]byte{}
	for _, i := range t.Interfaces {
		rows = append(rows, rowOf(i))
	}
	w.interfaces = interfaceTable(rows...)
}

// taskOf is a process in the words of Windows: its states are those of its threads.
func taskOf(p *simkernel.Process) task {
	state, wait := uint32(threadWaiting), uint32(6)
	switch p.State {
	case simkernel.Running:
		state = threadRunning
	case simkernel.Stopped:
		wait = waitSuspended
	}
	t := task{pid: p.PID, parent: p.Parent, create: unixEpoch + units100(p.Clock), name: wide(p.Name), user: units100(p.User), kernel: units100(p.System),
		values: map[int]uint64{0x10: p.FaultsMajor, 0x78: p.Virtual, 0xb8: p.Virtual, 0x80: p.FaultsMinor + p.FaultsMajor, 0x88: p.PeakResident, 0x90: p.Resident},
		disk:   [6]uint64{p.BlocksRead * 512, p.BlocksWritten * 512, p.BlocksRead, p.BlocksWritten, 0, p.Voluntary + p.Involuntary}, denied: p.Denied}
	for n := range p.Threads {
		t.threads = append(t.threads, thread{id: p.Thread(n), create: t.create, state: state, wait: wait})
	}
	return t
}

// rowOf is a MIB_IF_ROW2.
func rowOf(i *simkernel.Interface) []byte {
	row := ifaceOf(i.Name, ifHardware, ifUp, 6, uint32(i.MTU))
	if !i.Up {
		binary.LittleEndian.PutUint32(row[ifRowOper:], 2)
	}
	values := map[platform.Field]uint64{platform.NetworkReceiveBytes: i.ReceivedBytes, platform.NetworkReceivePackets: i.ReceivedPackets,
		platform.NetworkReceiveErrors: i.ReceiveErrors, platform.NetworkReceiveDropped: i.ReceiveDropped, platform.NetworkTransmitBytes: i.SentBytes,
		platform.NetworkTransmitPackets: i.SentPackets, platform.NetworkTransmitErrors: i.SendErrors}
	for _, c := range ifCounters {
		for n, at := range c.at {
			v := uint64(0)
			if n == 0 {
				v = values[c.field]
			}
			binary.LittleEndian.PutUint64(row[at:], v)
		}
	}
	return row
}

// Performance is PERFORMANCE_INFORMATION: pages there are, and that are free.
func (k *simulatedKernel) Performance(buf []byte) error {
	for i, v := range []uint64{0, 0, 0, 0, k.told.Memory / pageSize, k.told.Free / pageSize, 0, 0, 0, 0, pageSize} {
		putWord(buf[i*k.word:], k.word, v)
	}
	return nil
}

// System answers for what is so now.
func (k *simulatedKernel) System(class int32, buf []byte) (int, error) {
	k.refresh()
	return k.world.System(class, buf)
}

// SystemEx likewise.
func (k *simulatedKernel) SystemEx(class int32, input, buf []byte) (int, error) {
	k.refresh()
	return k.world.SystemEx(class, input, buf)
}

// Interfaces likewise.
func (k *simulatedKernel) Interfaces(buf []byte) (int, error) {
	k.refresh()
	return k.world.Interfaces(buf)
}

// Clocks likewise.
func (k *simulatedKernel) Clocks() (uint64, uint64) {
	k.refresh()
	return k.world.Clocks()
}

// simulated is how Windows tells of a world.
var simulated = simkernel.Dialect{
	Open: func(w *simkernel.World) (platform.Backend, error) {
		w.Steady = true // an old start is told as the clock stood then
		k := &simulatedKernel{newWorld(8), w}
		k.disks, k.drives = map[int]map[uint32][]byte{}, nil
		k.refresh()
		return New(Options{Kernel: k, Budget: time.Minute})
	},
	// Units of 100 ns since 1970.
	Start:  func(_ *simkernel.World, p *simkernel.Process) uint64 { return units100(p.Clock) },
	Hides:  func(entity platform.Entity, _ string) bool { return entity == platform.Disk }, // each has calls of its own
	Reaped: true,
}

// What this backend reads is what is so, in every world that is simulated for the other kernels
// too, and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(simulated, seed, 8, simkernel.Steps) })
}

// Nothing is kept of what is gone: 10,000 passes leave memory and handles as they were.
func TestFlat(t *testing.T) {
	simkernel.Flat(t, simulated, func(w *simkernel.World) (platform.Backend, func() int) {
		w.Steady = true
		k := &simulatedKernel{newWorld(8), w}
		k.refresh()
		b, err := New(Options{Kernel: k, Budget: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return b, func() int { return len(k.open) }
	})
}
