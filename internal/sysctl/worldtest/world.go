package worldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Process is one process of a [World], as it truly is.
type Process struct {
	PID, Parent, UID uint64
	Start            uint64 // microseconds since the kernel's start
	Born             uint64 // what the clock said then, in microseconds since 1970
	State            int    // Running and so on
	System, Denied   bool   // part of the kernel; arguments are nobody's business
	Command, Path    string
	Arguments        []string
	Nice             int
	CPU              uint64
	User, Sys        uint64 // microseconds
	Resident, Text   uint64 // pages
	Data, Stack      uint64 // likewise
	Map              uint64 // pages of address space
	Peak             uint64 // kilobytes
	Minor, Major     uint64
	Reads, Writes    uint64
	Waits, Switches  uint64
	Threads          uint64
	Files            []File
	Status           uint64 // of a zombie, as wait(2) tells it
}

// The states of a [Process].
const (
	Running = iota
	Sleeping
	Stopped
	Zombie
)

// File is what a process has open under a number.
type File struct {
	FD       int
	Socket   bool
	Protocol uint64 // 6 for TCP, 17 for UDP
	Six      bool
	State    uint64 // of TCP, as in netinet/tcp_fsm.h
	Address  uint64 // of the socket
}

// Disk and Interface are devices that come and go.
type Disk struct {
	Name                                 string
	Reads, Writes, ReadBytes, WriteBytes uint64
	Busy                                 uint64 // microseconds
}

// Interface is a network interface.
type Interface struct {
	Name                               string
	Loopback, Up                       bool
	Speed                              uint64 // bits per second
	In, InBytes, InErrors, InDropped   uint64
	Out, OutBytes, OutErrors, OutDrops uint64
}

// World is the truth that a [Kernel] tells of.
type World struct {
	random     *rand.Rand
	Boot       uint64 // microseconds since 1970, as the clock is set
	Uptime     uint64 // microseconds
	Processes  []*Process
	CPUs       [][5]uint64 // user, nice, system, interrupt and idle, in ticks
	Offline    int         // CPU that is, on OpenBSD; -1 for none
	Disks      []Disk
	Interfaces []Interface
	Forks      uint64
	Hear       []simkernel.Lives
	next       uint64
}

// Page is the size of a page, Hz the rate of the statistics clock.
const (
	Page = 4096
	Hz   = 128
)

// NewWorld makes a world of a seed.
func NewWorld(seed uint64) *World {
	w := &World{random: rand.New(rand.NewPCG(seed, 1)), Boot: 1_700_000_000_123_456, Uptime: 3_600e6, Offline: -1, next: 2}
	w.CPUs = make([][5]uint64, 1+w.random.IntN(3))
	if len(w.CPUs) > 1 {
		w.Offline = len(w.CPUs) - 1
	}
	w.Disks = []Disk{{Name: "sd0"}, {Name: "sd1"}}
	w.Interfaces = []Interface{{Name: "lo0", Loopback: true, Up: true}, {Name: "em0", Up: true, Speed: 1e9}}
	w.add(&Process{PID: 0, System: true, Command: "swapper", Threads: 3})
	w.add(&Process{PID: 1, Command: "init", Path: "/sbin/init", Arguments: []string{"/sbin/init"}, Threads: 1})
	for range 3 {
		w.fork()
	}
	return w
}

func (w *World) add(p *Process) {
	p.Start, p.Born, p.State = w.Uptime, w.Boot+w.Uptime, Sleeping
	p.Resident, p.Text, p.Data, p.Stack, p.Map = 100, 10, 20, 3, 4000
	w.Processes = append(w.Processes, p)
	w.Uptime += 10 + w.random.Uint64N(1000)
	w.Forks++
}

// fork makes a process. PIDs are few, and so used again soon.
func (w *World) fork() {
	const mostPid, mostProcesses = 12, 8
	if len(w.Processes) >= mostProcesses {
		return
	}
	for w.Find(w.next) != nil {
		w.next = 2 + (w.next-1)%mostPid
	}
	name := fmt.Sprintf("work%d", w.random.IntN(100))
	w.add(&Process{PID: w.next, Parent: 1, UID: w.random.Uint64N(3) * 1000, Command: name, Path: "/usr/bin/" + name,
		Arguments: []string{name, "", "-x"}, Threads: 1, Denied: w.random.IntN(4) == 0})
	for _, l := range w.Hear {
		l.Forked(1, w.Processes[len(w.Processes)-1].PID)
	}
}

// Find returns the process with a PID, nil if there is none.
func (w *World) Find(pid uint64) *Process {
	for _, p := range w.Processes {
		if p.PID == pid {
			return p
		}
	}
	return nil
}

// Step lets something happen, and time pass.
func (w *World) Step() {
	w.Uptime += 1000 + w.random.Uint64N(1e6)
	p := w.Processes[w.random.IntN(len(w.Processes))]
	switch w.random.IntN(12) {
	case 0:
		w.fork()
	case 1: // exec
		if !p.System && p.State != Zombie {
			p.Command, p.Path = "other", "/bin/other"
			for _, l := range w.Hear {
				l.Executed(p.PID)
			}
		}
	case 2: // exit, and be waited for later
		if p.PID > 1 {
			w.exit(p)
		}
	case 3:
		if p.State == Zombie {
			w.Processes = slices.DeleteFunc(w.Processes, func(q *Process) bool { return q == p })
		}
	case 4: // the clock is set
		w.Boot += w.random.Uint64N(20e6)
		w.Boot -= 10e6
	case 5:
		if p.State != Zombie {
			p.State = w.random.IntN(3)
		}
	case 6:
		w.open(p)
	case 7:
		if len(w.Disks) > 1 {
			w.Disks = w.Disks[:1]
		} else {
			w.Disks = append(w.Disks, Disk{Name: "sd1"})
		}
	case 8:
		if len(w.Interfaces) > 2 {
			w.Interfaces = w.Interfaces[:2]
		} else {
			w.Interfaces = append(w.Interfaces, Interface{Name: "em1", Speed: 1e8})
		}
	default:
		w.work(p)
	}
}

func (w *World) exit(p *Process) {
	if p.State == Zombie {
		return
	}
	p.State, p.Files, p.Status = Zombie, nil, simkernel.StatusOf(w.Forks+p.PID)
	for _, l := range w.Hear {
		l.Exited(p.PID, p.Status)
	}
}

func (w *World) open(p *Process) {
	if p.System || p.State == Zombie || len(p.Files) > 5 {
		return
	}
	f := File{FD: len(p.Files), Address: 0xffff_8000_0000_0000 + p.PID<<16 + uint64(len(p.Files))<<4}
	if f.Socket = w.random.IntN(2) == 0; f.Socket {
		f.Protocol, f.Six, f.State = []uint64{6, 17}[w.random.IntN(2)], w.random.IntN(2) == 0, w.random.Uint64N(11)
	}
	p.Files = append(p.Files, f)
}

// work lets all counters grow, now and then over the end of 32 bits.
func (w *World) work(p *Process) {
	n := func() uint64 { return w.random.Uint64N(1 << (1 + w.random.IntN(20))) }
	p.User += n()
	p.Sys += n()
	p.Minor += n()
	p.Major += n()
	p.Reads += n()
	p.Writes += n()
	p.Waits += n()
	p.Switches += n()
	p.Resident, p.Peak, p.Nice, p.CPU = 1+n(), p.Peak+n(), w.random.IntN(40)-20, w.random.Uint64N(2)
	if !p.System {
		p.Threads = 1 + w.random.Uint64N(4)
	}
	for i := range w.CPUs {
		if i != w.Offline {
			w.CPUs[i][w.random.IntN(5)] += n()
		}
	}
	for i := range w.Disks {
		d := &w.Disks[i]
		d.Reads, d.Writes, d.ReadBytes, d.WriteBytes, d.Busy = d.Reads+n(), d.Writes+n(), d.ReadBytes+n()<<20, d.WriteBytes+n()<<20, d.Busy+n()
	}
	for i := range w.Interfaces {
		f := &w.Interfaces[i]
		f.In, f.InBytes, f.InErrors, f.InDropped = f.In+n(), f.InBytes+n()<<20, f.InErrors+n(), f.InDropped+n()
		f.Out, f.OutBytes, f.OutErrors, f.OutDrops = f.Out+n(), f.OutBytes+n()<<20, f.OutErrors+n(), f.OutDrops+n()
		f.Up = w.random.IntN(4) > 0
	}
}
