package openbsd

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// clockRate is where struct clockinfo has the rate of the statistics clock: hz, tick,
// stathz, profhz, each an int (sys/time.h).
const clockRate = 8

// struct cpustats (sys/sched.h): user, nice, system, spinning, interrupt and idle, 64
// bits each, and flags.
const (
	cpuSize   = 56
	cpuFlags  = 48
	cpuOnline = 1
)

func readCPU(p *sysctl.Pass, cpu int32) (t sysctl.CPUTime, ok bool, err error) {
	b, err := p.Ask(ctlKern, kernCPUStats, cpu)
	if err != nil {
		return t, false, err
	}
	if len(b) < cpuSize {
		return t, false, sysctl.ErrContent
	}
	t, ok = decodeCPU(b)
	return t, ok, nil
}

// decodeCPU reads struct cpustats. Waiting for a lock of the kernel is the system's
// time. A CPU that is offline, as the second threads of cores are by default, has
// stopped counting.
func decodeCPU(b []byte) (t sysctl.CPUTime, online bool) {
	if len(b) < cpuSize {
		return t, false
	}
	r := sysctl.Row(b)
	t = sysctl.CPUTime{User: r.U64(0), Nice: r.U64(8), System: r.U64(16) + r.U64(24), Interrupt: r.U64(32), Idle: r.U64(40)}
	return t, r.U64(cpuFlags)&cpuOnline != 0
}

// readSpeed reads hw.cpuspeed, in MHz.
func readSpeed(p *sysctl.Pass) (uint64, error) {
	speed, err := p.AskNumber(ctlHW, hwCPUSpeed)
	return speed * 1e6, err
}

// Offsets in struct uvmexp (uvm/uvmexp.h; Uvmexp of golang.org/x/sys/unix), of ints.
const (
	uvmSize      = 180
	uvmPages     = 12
	uvmFree      = 16
	uvmInactive  = 24
	uvmWired     = 32
	uvmSwapPages = 104
	uvmSwapUsed  = 108
	uvmFaults    = 132
	uvmPageIns   = 156
)

var uvmMembers = []sysctl.Member{
	{Field: platform.HostMemoryTotal, At: uvmPages, Kind: sysctl.Pages32},
	{Field: platform.HostMemoryFree, At: uvmFree, Kind: sysctl.Pages32},
	{Field: platform.HostMemoryActive, At: 20, Kind: sysctl.Pages32},
	{Field: platform.HostMemoryInactive, At: uvmInactive, Kind: sysctl.Pages32},
	{Field: platform.HostMemoryWired, At: uvmWired, Kind: sysctl.Pages32},
	{Field: platform.HostInterrupts, At: 140, Kind: sysctl.Count32},
	{Field: platform.HostContextSwitches, At: 144, Kind: sysctl.Count32},
	{Field: platform.HostSoftInterrupts, At: 148, Kind: sysctl.Count32},
	{Field: platform.HostSystemCalls, At: 152, Kind: sysctl.Count32},
	{Field: platform.HostFaultsMajor, At: uvmPageIns, Kind: sysctl.Count32},
	{Field: platform.HostSwapIn, At: 168, Kind: sysctl.Count32},
	{Field: platform.HostSwapOut, At: 172, Kind: sysctl.Count32},
	{Field: platform.HostProcessesCreated, At: 176, Kind: sysctl.Count32},
}

// uvm is vm.uvmexp: memory, swap, and what the kernel counts of itself in 32 bits.
func uvm() sysctl.HostSource {
	s := sysctl.Level("vm.uvmexp", platform.Host, 2, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	for _, m := range uvmMembers {
		s.Gives = append(s.Gives, m.Given())
	}
	s.Gives = append(s.Gives, platform.Given{Field: platform.HostFaultsMinor, Bits: 32})
	return sysctl.HostSource{Source: s,
		Host: func(p *sysctl.Pass) error {
			r, err := readUVM(p)
			if err != nil {
				return err
			}
			for _, m := range uvmMembers {
				p.Sample().Set(m.Field, m.Value(r, p.Page()))
			}
			p.Sample().Set(platform.HostFaultsMinor, uint64(uint32(r.U32(uvmFaults)-r.U32(uvmPageIns))))
			return nil
		},
		Each: func(p *sysctl.Pass) error {
			r, err := readUVM(p)
			if err != nil || r.U32(uvmSwapPages) == 0 {
				return err
			}
			return p.Swap(r.U32(uvmSwapPages)*p.Page(), r.U32(uvmSwapUsed)*p.Page())
		}}
}

func readUVM(p *sysctl.Pass) (sysctl.Row, error) {
	b, err := p.Ask(ctlVM, vmUvmexp)
	if err == nil && len(b) < uvmSize {
		err = sysctl.ErrContent
	}
	return sysctl.Row(b), err
}

// struct bcachestats (sys/mount.h): buffers, their pages, and those of them that are to
// be written, 64 bits each. There is more behind.
const (
	buffersSize  = 24
	bufferPages  = 8
	bufferDirty  = 16
	vfsGeneric   = 0
	bufferSource = "vfs.generic.bcachestat, vm.uvmexp"
)

// buffers is the buffer cache, which OpenBSD keeps files in, and what of memory is
// available: free, inactive or such a buffer.
func buffers() sysctl.HostSource {
	s := sysctl.Level(bufferSource, platform.Host, 3, platform.HostMemoryCached, platform.HostMemoryDirty,
		platform.HostMemoryAvailable, platform.HostMemoryUsed)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		b, err := p.Ask(ctlVFS, vfsGeneric, bcacheStats)
		if err == nil && len(b) < buffersSize {
			err = sysctl.ErrContent
		}
		if err != nil {
			return err
		}
		cached, dirty := sysctl.Row(b).U64(bufferPages), sysctl.Row(b).U64(bufferDirty)
		r, err := readUVM(p)
		if err != nil {
			return err
		}
		total := r.U32(uvmPages)
		available := min(r.U32(uvmFree)+r.U32(uvmInactive)+cached, total)
		p.Sample().Set(platform.HostMemoryCached, cached*p.Page())
		p.Sample().Set(platform.HostMemoryDirty, dirty*p.Page())
		p.Sample().Set(platform.HostMemoryAvailable, available*p.Page())
		p.Sample().Set(platform.HostMemoryUsed, (total-available)*p.Page())
		return nil
	}}
}

// hostID is the UUID that the firmware tells.
func hostID() sysctl.HostSource {
	return sysctl.HostSource{Source: sysctl.Words("hw.uuid", 2, platform.HostID), Host: func(p *sysctl.Pass) error {
		id, err := p.String(ctlHW, hwUUID)
		p.SetText(platform.HostID, id)
		return err
	}}
}

// diskTable is struct diskstats (sys/disk.h). It counts no time of single requests, but
// that in which any was under way.
func diskTable() sysctl.DiskTable {
	return sysctl.DiskTable{
		Name: "hw.diskstats", MIB: []int32{ctlHW, hwDiskStats}, Size: 112, NameLength: 16,
		Members: []sysctl.Member{
			{Field: platform.DiskReads, At: 24},
			{Field: platform.DiskWrites, At: 32},
			{Field: platform.DiskReadBytes, At: 48},
			{Field: platform.DiskWriteBytes, At: 56},
			{Field: platform.DiskIOTime, At: 96, Kind: sysctl.Timeval},
		},
	}
}

// interfaceTable is struct if_msghdr with struct if_data in it (net/if.h; IfMsghdr and
// IfData of golang.org/x/sys/unix), with the states LINK_STATE_*.
func interfaceTable() sysctl.InterfaceTable {
	return sysctl.InterfaceTable{
		MIB: []int32{ctlNet, afRoute, 0, 0, rtIfList, 0}, Type: 0x0e,
		Size: 168, Header: 4, Flags: 16, Kind: 24, Link: 27, Down: 2, Up: 4, MTU: 28, Speed: 40,
		Counters: []sysctl.Member{
			{Field: platform.NetworkReceivePackets, At: 48}, {Field: platform.NetworkReceiveErrors, At: 56},
			{Field: platform.NetworkTransmitPackets, At: 64}, {Field: platform.NetworkTransmitErrors, At: 72},
			{Field: platform.NetworkReceiveBytes, At: 88}, {Field: platform.NetworkTransmitBytes, At: 96},
			{Field: platform.NetworkReceiveDropped, At: 120}, {Field: platform.NetworkTransmitDropped, At: 128},
		},
		Index: 6, Address: sysctl.AddressTable{Type: 0x0c, Size: 24, Header: 4, Index: 6, Set: 12, Align: 8, Inet6: familyInet6},
	}
}

// mountTable is struct statfs (sys/mount.h; Statfs_t of golang.org/x/sys/unix).
func mountTable() sysctl.MountTable {
	return sysctl.MountTable{
		Name: "getfsstat", Size: 568, Flags: 0, FlagsWidth: 4, Block: 4, BlockWidth: 4,
		Blocks: 16, Free: 24, Usable: 32, Files: 40, Unused: 48, Device: 96,
		Type: 120, TypeLength: 16, Point: 136, PointLength: 90, Source: 226, SourceLength: 90,
		Options: mountOptions,
	}
}

// loginTable is struct utmp (utmp.h).
func loginTable() sysctl.LoginTable {
	return sysctl.LoginTable{
		Path: "/var/run/utmp", Size: 304, User: 8,
		UserLength: 32, Line: 0, LineLength: 8, Host: 40, HostLength: 256, Seconds: 296, SecondsWidth: 8,
	}
}

// mountOptions are flags of sys/mount.h as mount(8) names them.
var mountOptions = []sysctl.Option{
	{Bit: 0x2, Name: "synchronous"}, {Bit: 0x4, Name: "noexec"}, {Bit: 0x8, Name: "nosuid"}, {Bit: 0x10, Name: "nodev"}, {Bit: 0x20, Name: "noperm"},
	{Bit: 0x40, Name: "asynchronous"}, {Bit: 0x800, Name: "wxallowed"}, {Bit: 0x8000, Name: "noatime"}, {Bit: 0x4000000, Name: "softdep"},
}
