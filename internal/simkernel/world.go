package simkernel

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Tick is what all times are multiples of, so that each kernel can tell them exactly:
// 10 ms is a whole number of nanoseconds, microseconds, units of 100 ns, ticks at 100 Hz
// and at 128 Hz times 1.28, and of Mach's at 24 MHz.
const Tick = 10 * time.Millisecond

// Page is what all sizes of memory are multiples of: 64 KiB, which is a whole number of
// the pages of every machine.
const Page = 64 << 10

// State is what a process does.
type State uint8

// The states.
const (
	Running State = iota
	Sleeping
	Stopped
	Zombie
)

// Process is one process.
type Process struct {
	PID, Parent   uint64
	Born          time.Duration // since boot, a multiple of Tick
	Clock         time.Duration // since 1970, as the clock was set then
	Name          string        // short enough for every kernel: up to 15 bytes
	State         State
	Threads       uint64
	User, System  time.Duration // its own, multiples of Tick
	ChildUser     time.Duration // of those that it waited for
	ChildSystem   time.Duration
	FaultsMinor   uint64
	FaultsMajor   uint64
	Voluntary     uint64 // context switches
	Involuntary   uint64
	BlocksRead    uint64
	BlocksWritten uint64
	Resident      uint64 // bytes
	Virtual       uint64
	PeakResident  uint64
	UID           uint64
	Nice          int
	CPU           uint64 // that it ran on last
	Denied        bool   // what needs a right is refused
	Closed        bool   // it has closed its file
	Status        uint64 // of a zombie, as wait(2) tells it
}

// CPU is one processor.
type CPU struct {
	User, Nice, System, Interrupt, Idle time.Duration // multiples of Tick
}

// Disk is one disk.
type Disk struct {
	Name                  string
	Reads, Writes         uint64
	ReadBytes, WriteBytes uint64 // multiples of 512
	ReadTime, WriteTime   time.Duration
	Busy                  time.Duration
}

// Interface is one interface of the network.
type Interface struct {
	Name                         string
	Index                        int
	ReceivedBytes, SentBytes     uint64
	ReceivedPackets, SentPackets uint64
	ReceiveErrors, SendErrors    uint64
	ReceiveDropped               uint64
	Up                           bool
	MTU                          uint64
}

// World is the truth.
type World struct {
	Seed       uint64
	Boot       time.Time // in whole seconds
	Now        time.Duration
	CPUs       []CPU
	Processes  []*Process // by PID
	Disks      []*Disk
	Interfaces []*Interface
	Memory     uint64 // bytes
	Free       uint64
	Self       uint64 // the PID of whoever looks, which never ends
	Switches   uint64
	Forks      uint64
	Steady     bool // nobody sets the clock

	rng     *rand.Rand
	most    int // processes
	next    uint64
	gone    []*Disk
	away    []*Interface
	Happens string // what happened last, for the message of a test
	Hear    []Lives
}

// Lives is told of the lives of processes when they happen.
type Lives interface {
	Forked(parent, child uint64)
	Executed(pid uint64)
	Exited(pid, status uint64)
}

// StatusOf is how the n-th process that ends does: it returns a code, or a signal ends it.
func StatusOf(n uint64) uint64 {
	if n%3 == 0 {
		return 11 | n%2<<7 // SIGSEGV, with a core file or without
	}
	return n % 256 << 8
}

// mostPID is so small that PIDs are used again soon.
const mostPID = 12

// New returns the world of a seed, with at most so many processes.
func New(seed uint64, most int) *World {
	w := &World{Seed: seed, Boot: time.Unix(1_790_000_000, 0), Now: time.Hour, Memory: 8 << 30, Free: 5 << 30,
		rng: rand.New(rand.NewPCG(seed, 7)), most: most, next: 1, CPUs: make([]CPU, 1+seed%4)}
	for i := range w.CPUs {
		w.CPUs[i].Idle = w.Now
	}
	first := w.born(0, "init")
	w.Self = w.born(first.PID, "observer").PID
	for i := range 2 {
		w.Disks = append(w.Disks, &Disk{Name: fmt.Sprintf("ad%d", i)})
		w.Interfaces = append(w.Interfaces, &Interface{Name: fmt.Sprintf("em%d", i), Index: i + 1, Up: true, MTU: 1500})
	}
	// Counters begin shortly before they wrap, at 32 bits as at 31.
	w.Disks[0].ReadBytes = 1<<32 - 4096
	w.Disks[1].Reads = 1<<32 - 3
	w.Interfaces[0].ReceivedBytes = 1<<32 - 1000
	w.Interfaces[1].SentPackets = 1<<32 - 2
	w.Switches = 1<<32 - 50
	return w
}

// events is what may happen, and how often of 100 times.
var events = []struct {
	name   string
	weight int
	happen func(*World)
}{
	{"burn", 28, (*World).burn},
	{"fork", 12, (*World).fork},
	{"exec", 8, (*World).exec},
	{"exit", 8, (*World).exit},
	{"reap", 10, (*World).reap},
	{"stop", 4, (*World).stop},
	{"deny", 3, (*World).deny},
	{"transfer", 10, (*World).transfer},
	{"send", 10, (*World).send},
	{"disk", 3, (*World).plugDisk},
	{"interface", 2, (*World).plugInterface},
	{"clock", 2, (*World).setClock},
}

// Step lets time pass and one thing happen.
func (w *World) Step() {
	passed := time.Duration(1+w.rng.IntN(100)) * Tick
	w.Now += passed
	for i := range w.CPUs {
		w.CPUs[i].Idle += passed
	}
	n := w.rng.IntN(100)
	for _, e := range events {
		if n -= e.weight; n < 0 {
			w.Happens = e.name
			e.happen(w)
			return
		}
	}
}

// Find returns who has a PID, nil for nobody.
func (w *World) Find(pid uint64) *Process {
	for _, p := range w.Processes {
		if p.PID == pid {
			return p
		}
	}
	return nil
}

func (w *World) born(parent uint64, name string) *Process {
	for w.Find(w.next) != nil {
		w.next = w.next%mostPID + 1
	}
	p := &Process{PID: w.next, Parent: parent, Born: w.Now, Clock: w.Since(w.Now), Name: name, State: Sleeping, Threads: 1,
		Resident: Page, Virtual: 4 * Page, PeakResident: Page, FaultsMinor: 1<<32 - 20, CPU: w.rng.Uint64N(uint64(len(w.CPUs)))}
	w.next = w.next%mostPID + 1
	w.Forks++
	w.Processes = append(w.Processes, p)
	slices.SortFunc(w.Processes, func(a, b *Process) int { return cmp.Compare(a.PID, b.PID) })
	return p
}

// anybody returns someone who lives.
func (w *World) anybody() *Process {
	for {
		if p := w.Processes[w.rng.IntN(len(w.Processes))]; p.State != Zombie {
			return p
		}
	}
}

// mortal returns someone who lives and may end; nil if there is nobody.
func (w *World) mortal() *Process {
	if p := w.anybody(); p.PID != 1 && p.PID != w.Self {
		return p
	}
	return nil
}

func (w *World) fork() {
	if len(w.Processes) >= w.most {
		return
	}
	p := w.anybody()
	child := w.born(p.PID, p.Name)
	child.UID, child.Nice, child.Denied = p.UID, p.Nice, p.Denied
	for _, l := range w.Hear {
		l.Forked(p.PID, child.PID)
	}
}

var programs = []string{"sh", "worker", "a) b", "(sd-pam)", "with space", "tab\there", "15-bytes-long-x"}

func (w *World) exec() {
	if p := w.mortal(); p != nil {
		p.Name = programs[w.rng.IntN(len(programs))]
		p.Resident, p.Virtual = 2*Page, 16*Page
		p.PeakResident = max(p.PeakResident, p.Resident)
		p.Threads = 1
		for _, l := range w.Hear {
			l.Executed(p.PID)
		}
	}
}

func (w *World) burn() {
	p := w.anybody()
	p.CPU = w.rng.Uint64N(uint64(len(w.CPUs)))
	c := &w.CPUs[p.CPU]
	user, system := w.time(20), w.time(5)
	p.User, p.System, p.State = p.User+user, p.System+system, Running
	c.User, c.System, c.Interrupt = c.User+user, c.System+system, c.Interrupt+w.time(2)
	p.FaultsMinor += w.rng.Uint64N(30)
	p.FaultsMajor += w.rng.Uint64N(3)
	p.Voluntary += w.rng.Uint64N(20)
	p.Involuntary += w.rng.Uint64N(20)
	w.Switches += w.rng.Uint64N(40)
	p.Resident = Page * (1 + w.rng.Uint64N(50))
	p.Virtual = p.Resident + Page*w.rng.Uint64N(50)
	p.PeakResident = max(p.PeakResident, p.Resident)
	p.Threads = 1 + w.rng.Uint64N(5)
	w.Free = Page * w.rng.Uint64N(w.Memory/Page)
}

func (w *World) time(most int) time.Duration { return time.Duration(w.rng.IntN(most)) * Tick }

// exit ends a process. Its children get the first one as their parent.
func (w *World) exit() {
	p := w.mortal()
	if p == nil {
		return
	}
	p.State, p.Threads, p.Resident, p.Virtual = Zombie, 1, 0, 0
	p.Status = StatusOf(w.Forks + p.PID)
	for _, l := range w.Hear {
		l.Exited(p.PID, p.Status)
	}
	for _, q := range w.Processes {
		if q.Parent == p.PID {
			q.Parent = 1
		}
	}
}

// reap lets a parent wait for a zombie.
func (w *World) reap() {
	for i, p := range w.Processes {
		if p.State != Zombie {
			continue
		}
		if parent := w.Find(p.Parent); parent != nil {
			parent.ChildUser += p.User + p.ChildUser
			parent.ChildSystem += p.System + p.ChildSystem
		}
		w.Processes = slices.Delete(w.Processes, i, i+1)
		return
	}
}

// setClock sets the clock by up to ten seconds: when the kernel started moves with it.
func (w *World) setClock() {
	if w.Steady {
		return
	}
	w.Boot = w.Boot.Add(w.time(2000) - 10*time.Second)
}

func (w *World) stop() {
	if p := w.mortal(); p != nil {
		p.State = Stopped
	}
}

func (w *World) deny() {
	if p := w.mortal(); p != nil {
		p.Denied = !p.Denied
		p.UID = 1000
		p.Nice = w.rng.IntN(20)
	}
}

func (w *World) transfer() {
	p := w.anybody()
	p.BlocksRead += w.rng.Uint64N(8)
	p.BlocksWritten += w.rng.Uint64N(8)
	if len(w.Disks) == 0 {
		return
	}
	d := w.Disks[w.rng.IntN(len(w.Disks))]
	d.Reads += w.rng.Uint64N(5)
	d.Writes += w.rng.Uint64N(5)
	d.ReadBytes += 512 * w.rng.Uint64N(100)
	d.WriteBytes += 512 * w.rng.Uint64N(100)
	d.ReadTime += w.time(3)
	d.WriteTime += w.time(3)
	d.Busy += w.time(3)
}

func (w *World) send() {
	if len(w.Interfaces) == 0 {
		return
	}
	i := w.Interfaces[w.rng.IntN(len(w.Interfaces))]
	i.ReceivedBytes += w.rng.Uint64N(3000)
	i.SentBytes += w.rng.Uint64N(3000)
	i.ReceivedPackets += w.rng.Uint64N(4)
	i.SentPackets += w.rng.Uint64N(4)
	i.ReceiveErrors += w.rng.Uint64N(2)
	i.SendErrors += w.rng.Uint64N(2)
	i.ReceiveDropped += w.rng.Uint64N(2)
	i.Up = w.rng.IntN(5) != 0
}

// plugDisk pulls a disk, or plugs one in that was pulled, which counts from 0.
func (w *World) plugDisk() {
	if len(w.gone) > 0 {
		d := w.gone[0]
		w.gone = w.gone[1:]
		*d = Disk{Name: d.Name}
		w.Disks = append(w.Disks, d)
	} else if n := len(w.Disks); n > 0 {
		w.gone = append(w.gone, w.Disks[n-1])
		w.Disks = w.Disks[:n-1]
	}
}

// plugInterface does so with an interface, which returns with another number.
func (w *World) plugInterface() {
	if len(w.away) > 0 {
		i := w.away[0]
		w.away = w.away[1:]
		*i = Interface{Name: i.Name, Index: i.Index + 10, MTU: 1500}
		w.Interfaces = append(w.Interfaces, i)
	} else if n := len(w.Interfaces); n > 0 {
		w.away = append(w.away, w.Interfaces[n-1])
		w.Interfaces = w.Interfaces[:n-1]
	}
}
