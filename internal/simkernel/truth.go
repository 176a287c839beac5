package simkernel

import "github.com/pidometer/pidometer/platform"

// subject is what a sample is of: one of these, or the host.
type subject struct {
	process *Process
	cpu     *CPU
	disk    *Disk
	link    *Interface

	component map[platform.Field]uint64
}

// truths is what each field is, in its base unit; nil where a world does not know.
var truths = func() (all [platform.FieldCount]func(*World, subject) uint64) {
	for f, of := range ofProcess {
		all[f] = func(w *World, s subject) uint64 { return of(w, s.process) }
	}
	for f, of := range ofHost {
		all[f] = func(w *World, _ subject) uint64 { return of(w) }
	}
	for f, of := range ofCPU {
		all[f] = func(_ *World, s subject) uint64 { return of(s.cpu) }
	}
	for f, of := range ofDisk {
		all[f] = func(_ *World, s subject) uint64 { return of(s.disk) }
	}
	for f, of := range ofInterface {
		all[f] = func(_ *World, s subject) uint64 { return of(s.link) }
	}
	return all
}()

// ofProcess is what the fields of a process are, in their base units.
var ofProcess = map[platform.Field]func(*World, *Process) uint64{
	platform.ProcessCPUUser:             func(_ *World, p *Process) uint64 { return uint64(p.User) },
	platform.ProcessCPUSystem:           func(_ *World, p *Process) uint64 { return uint64(p.System) },
	platform.ProcessChildCPUUser:        func(_ *World, p *Process) uint64 { return uint64(p.ChildUser) },
	platform.ProcessChildCPUSystem:      func(_ *World, p *Process) uint64 { return uint64(p.ChildSystem) },
	platform.ProcessFaultsMinor:         func(_ *World, p *Process) uint64 { return p.FaultsMinor },
	platform.ProcessFaultsMajor:         func(_ *World, p *Process) uint64 { return p.FaultsMajor },
	platform.ProcessSwitchesVoluntary:   func(_ *World, p *Process) uint64 { return p.Voluntary },
	platform.ProcessSwitchesInvoluntary: func(_ *World, p *Process) uint64 { return p.Involuntary },
	platform.ProcessSwitches:            func(_ *World, p *Process) uint64 { return p.Voluntary + p.Involuntary },
	platform.ProcessDiskReads:           func(_ *World, p *Process) uint64 { return p.BlocksRead },
	platform.ProcessDiskWrites:          func(_ *World, p *Process) uint64 { return p.BlocksWritten },
	platform.ProcessDiskReadBytes:       func(_ *World, p *Process) uint64 { return p.BlocksRead * 512 },
	platform.ProcessDiskWriteBytes:      func(_ *World, p *Process) uint64 { return p.BlocksWritten * 512 },
	platform.ProcessMemoryRSS:           func(_ *World, p *Process) uint64 { return p.Resident },
	platform.ProcessMemoryVirtual:       func(_ *World, p *Process) uint64 { return p.Virtual },
	platform.ProcessAddressSpace:        func(_ *World, p *Process) uint64 { return p.Virtual },
	platform.ProcessMemoryPeak:          func(_ *World, p *Process) uint64 { return p.PeakResident },
	platform.ProcessWorkingSetPeak:      func(_ *World, p *Process) uint64 { return p.PeakResident },
	platform.ProcessThreads:             func(_ *World, p *Process) uint64 { return p.Threads },
	platform.ProcessParent:              func(_ *World, p *Process) uint64 { return p.Parent },
	platform.ProcessUser:                func(_ *World, p *Process) uint64 { return p.UID },
	platform.ProcessNice:                func(_ *World, p *Process) uint64 { return uint64(int64(p.Nice)) },
	platform.ProcessUptime:              func(w *World, p *Process) uint64 { return uint64(w.Now - p.Born) },
	platform.ProcessCPUNumber:           func(_ *World, p *Process) uint64 { return p.CPU },
	platform.ProcessRunning:             func(_ *World, p *Process) uint64 { return one(p.State == Running) },
	platform.ProcessSleeping:            func(_ *World, p *Process) uint64 { return one(p.State == Sleeping) },
	platform.ProcessStopped:             func(_ *World, p *Process) uint64 { return one(p.State == Stopped) },
	platform.ProcessDefunct:             func(_ *World, p *Process) uint64 { return one(p.State == Zombie) },
}

var ofHost = map[platform.Field]func(*World) uint64{
	platform.HostUptime:           func(w *World) uint64 { return uint64(w.Now) },
	platform.HostCPUUser:          func(w *World) uint64 { return w.sum(func(c *CPU) uint64 { return uint64(c.User) }) },
	platform.HostCPUNice:          func(w *World) uint64 { return w.sum(func(c *CPU) uint64 { return uint64(c.Nice) }) },
	platform.HostCPUSystem:        func(w *World) uint64 { return w.sum(func(c *CPU) uint64 { return uint64(c.System) }) },
	platform.HostCPUInterrupt:     func(w *World) uint64 { return w.sum(func(c *CPU) uint64 { return uint64(c.Interrupt) }) },
	platform.HostCPUIdle:          func(w *World) uint64 { return w.sum(func(c *CPU) uint64 { return uint64(c.Idle) }) },
	platform.HostCPULogical:       func(w *World) uint64 { return uint64(len(w.CPUs)) },
	platform.HostMemoryTotal:      func(w *World) uint64 { return w.Memory },
	platform.HostMemoryFree:       func(w *World) uint64 { return w.Free },
	platform.HostContextSwitches:  func(w *World) uint64 { return w.Switches },
	platform.HostProcessesCreated: func(w *World) uint64 { return w.Forks },
}

var ofCPU = map[platform.Field]func(*CPU) uint64{
	platform.CPUUser:      func(c *CPU) uint64 { return uint64(c.User) },
	platform.CPUNice:      func(c *CPU) uint64 { return uint64(c.Nice) },
	platform.CPUSystem:    func(c *CPU) uint64 { return uint64(c.System) },
	platform.CPUInterrupt: func(c *CPU) uint64 { return uint64(c.Interrupt) },
	platform.CPUIdle:      func(c *CPU) uint64 { return uint64(c.Idle) },
}

var ofDisk = map[platform.Field]func(*Disk) uint64{
	platform.DiskReads:      func(d *Disk) uint64 { return d.Reads },
	platform.DiskWrites:     func(d *Disk) uint64 { return d.Writes },
	platform.DiskReadBytes:  func(d *Disk) uint64 { return d.ReadBytes },
	platform.DiskWriteBytes: func(d *Disk) uint64 { return d.WriteBytes },
	platform.DiskReadTime:   func(d *Disk) uint64 { return uint64(d.ReadTime) },
	platform.DiskWriteTime:  func(d *Disk) uint64 { return uint64(d.WriteTime) },
	platform.DiskIOTime:     func(d *Disk) uint64 { return uint64(d.Busy) },
}

var ofInterface = map[platform.Field]func(*Interface) uint64{
	platform.NetworkReceiveBytes:    func(i *Interface) uint64 { return i.ReceivedBytes },
	platform.NetworkTransmitBytes:   func(i *Interface) uint64 { return i.SentBytes },
	platform.NetworkReceivePackets:  func(i *Interface) uint64 { return i.ReceivedPackets },
	platform.NetworkTransmitPackets: func(i *Interface) uint64 { return i.SentPackets },
	platform.NetworkReceiveErrors:   func(i *Interface) uint64 { return i.ReceiveErrors },
	platform.NetworkTransmitErrors:  func(i *Interface) uint64 { return i.SendErrors },
	platform.NetworkReceiveDropped:  func(i *Interface) uint64 { return i.ReceiveDropped },
	platform.NetworkUp:              func(i *Interface) uint64 { return one(i.Up) },
	platform.NetworkMTU:             func(i *Interface) uint64 { return i.MTU },
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

func (w *World) sum(of func(*CPU) uint64) (sum uint64) {
	for i := range w.CPUs {
		sum += of(&w.CPUs[i])
	}
	return sum
}
