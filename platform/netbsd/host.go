package netbsd

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// clockRate is where struct clockinfo has the rate of the statistics clock: hz, tick,
// tickadj, stathz, profhz, each an int (sys/time.h).
const clockRate = 12

// cpuTimes is how many bytes kern.cp_time has for each CPU: user, nice, system,
// interrupt and idle, 64 bits each (sys/sched.h, CP_USER to CP_IDLE).
const cpuTimes = 40

func readCPU(p *sysctl.Pass, cpu int32) (t sysctl.CPUTime, ok bool, err error) {
	b, err := p.Ask(ctlKern, kernCPTime, cpu)
	if err != nil {
		return t, false, err
	}
	if t, ok = decodeCPU(b); !ok {
		return t, false, sysctl.ErrContent
	}
	return t, true, nil
}

func decodeCPU(b []byte) (t sysctl.CPUTime, ok bool) {
	if len(b) < cpuTimes {
		return t, false
	}
	r := sysctl.Row(b)
	return sysctl.CPUTime{User: r.U64(0), Nice: r.U64(8), System: r.U64(16), Interrupt: r.U64(24), Idle: r.U64(32)}, true
}

// Offsets in struct uvmexp_sysctl (uvm/uvm_extern.h), of numbers of 64 bits. It grew at
// its end from 616 bytes to 632; what is read is before that.
const (
	uvmSize      = 592
	uvmPages     = 24
	uvmFree      = 32
	uvmActive    = 40
	uvmInactive  = 48
	uvmWired     = 64
	uvmSwapPages = 136
	uvmSwapUsed  = 144
	uvmFaults    = 192
	uvmPageIns   = 240
	uvmFilePages = 576
	uvmExecPages = 584
)

// uvmMembers are the counters in it, and how much memory there is.
var uvmMembers = []sysctl.Member{
	{Field: platform.HostMemoryTotal, At: uvmPages, Kind: sysctl.Pages64},
	{Field: platform.HostMemoryFree, At: uvmFree, Kind: sysctl.Pages64},
	{Field: platform.HostMemoryActive, At: uvmActive, Kind: sysctl.Pages64},
	{Field: platform.HostMemoryInactive, At: uvmInactive, Kind: sysctl.Pages64},
	{Field: platform.HostMemoryWired, At: uvmWired, Kind: sysctl.Pages64},
	{Field: platform.HostInterrupts, At: 208},
	{Field: platform.HostContextSwitches, At: 216},
	{Field: platform.HostSoftInterrupts, At: 224},
	{Field: platform.HostSystemCalls, At: 232},
	{Field: platform.HostFaultsMajor, At: uvmPageIns},
	{Field: platform.HostSwapIn, At: 264},
	{Field: platform.HostSwapOut, At: 272},
	{Field: platform.HostProcessesCreated, At: 280},
}

// uvm is vm.uvmexp2: memory, swap, and what the kernel counts of itself.
func uvm() sysctl.HostSource {
	s := sysctl.Level("vm.uvmexp2", platform.Host, 2, platform.HostMemoryUsed, platform.HostMemoryAvailable, platform.HostMemoryCached,
		platform.HostFaultsMinor, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	for _, m := range uvmMembers {
		s.Gives = append(s.Gives, platform.Given{Field: m.Field})
	}
	return sysctl.HostSource{Source: s,
		Host: func(p *sysctl.Pass) error {
			r, err := readUVM(p)
			if err == nil {
				setUVM(p.Sample(), r, p.Page())
			}
			return err
		},
		Each: func(p *sysctl.Pass) error {
			r, err := readUVM(p)
			if err != nil || r.U64(uvmSwapPages) == 0 {
				return err
			}
			return p.Swap(r.U64(uvmSwapPages)*p.Page(), r.U64(uvmSwapUsed)*p.Page())
		}}
}

func readUVM(p *sysctl.Pass) (sysctl.Row, error) {
	b, err := p.Ask(ctlVM, vmUvmexp2)
	if err == nil && len(b) < uvmSize {
		err = sysctl.ErrContent
	}
	return sysctl.Row(b), err
}

// setUVM sets what struct uvmexp_sysctl tells. Available is what is neither active nor
// wired, as top(1) and psutil count it; the caches are in it.
func setUVM(s *platform.Sample, r sysctl.Row, page uint64) {
	for _, m := range uvmMembers {
		s.Set(m.Field, m.Value(r, page))
	}
	total, used := r.U64(uvmPages), r.U64(uvmActive)+r.U64(uvmWired)
	used = min(used, total)
	s.Set(platform.HostMemoryUsed, used*page)
	s.Set(platform.HostMemoryAvailable, (total-used)*page)
	s.Set(platform.HostMemoryCached, (r.U64(uvmFilePages)+r.U64(uvmExecPages))*page)
	faults, major := r.U64(uvmFaults), r.U64(uvmPageIns)
	s.Set(platform.HostFaultsMinor, max(faults, major)-major)
}

// hostID is the UUID that the firmware tells, on machines with SMBIOS.
func hostID() sysctl.HostSource {
	const name = "machdep.dmi.system-uuid"
	return sysctl.HostSource{Source: sysctl.Words(name, 10, platform.HostID), Host: func(p *sysctl.Pass) error {
		b, err := p.AskNamed(name)
		if err != nil {
			return err
		}
		p.SetText(platform.HostID, sysctl.CString(b))
		return nil
	}}
}

// diskTable is struct io_sysctl (sys/iostat.h). It counts no time of single requests, but
// that in which any was under way.
func diskTable() sysctl.DiskTable {
	const size, kind, isDisk = 104, 20, 0 // IOSTAT_DISK; others are tapes and NFS mounts
	return sysctl.DiskTable{
		Name: "hw.iostats", MIB: []int32{ctlHW, hwIOStats, size}, Size: size, NameLength: 16,
		Disk: func(r sysctl.Row) bool { return r.U32(kind) == isDisk },
		Members: []sysctl.Member{
			{Field: platform.DiskIOTime, At: 64, Kind: sysctl.Micros},
			{Field: platform.DiskReads, At: 72},
			{Field: platform.DiskReadBytes, At: 80},
			{Field: platform.DiskWrites, At: 88},
			{Field: platform.DiskWriteBytes, At: 96},
		},
	}
}

// interfaceTable is struct if_msghdr with struct if_data in it (net/if.h; IfMsghdr and
// IfData of golang.org/x/sys/unix), with the states LINK_STATE_*. The kernel keeps no count of packets that it
// dropped on their way out.
func interfaceTable() sysctl.InterfaceTable {
	return sysctl.InterfaceTable{
		MIB: []int32{ctlNet, afRoute, 0, 0, rtIfList, 0}, Type: 0x14,
		Size: 152, Flags: 8, Kind: 16, Link: 20, LinkWide: true, Down: 1, Up: 2, MTU: 24, MTUWide: true, Speed: 40,
		Counters: []sysctl.Member{
			{Field: platform.NetworkReceivePackets, At: 48}, {Field: platform.NetworkReceiveErrors, At: 56},
			{Field: platform.NetworkTransmitPackets, At: 64}, {Field: platform.NetworkTransmitErrors, At: 72},
			{Field: platform.NetworkReceiveBytes, At: 88}, {Field: platform.NetworkTransmitBytes, At: 96},
			{Field: platform.NetworkReceiveDropped, At: 120},
		},
		Index: 12, Address: sysctl.AddressTable{Type: 0x16, Size: 32, Index: 4, Set: 12, Align: 8, Inet6: familyInet6},
	}
}

// mountTable is struct statvfs (sys/statvfs.h; Statvfs_t of golang.org/x/sys/unix),
// whose blocks are of f_frsize bytes.
func mountTable() sysctl.MountTable {
	return sysctl.MountTable{
		Name: "getvfsstat", Size: 2256, Flags: 0, FlagsWidth: 8, Block: 16, BlockWidth: 8,
		Blocks: 32, Free: 40, Usable: 48, Files: 64, Unused: 72, Device: 136,
		Type: 172, TypeLength: 32, Point: 204, PointLength: 1024, Source: 1228, SourceLength: 1024,
		Options: mountOptions,
	}
}

// loginTable is struct utmpx (utmpx.h), which getutxent(3) writes as it is. The first
// record of the file is its signature.
func loginTable() sysctl.LoginTable {
	return sysctl.LoginTable{
		Path: "/var/run/utmpx", Size: 520, User: 0, Kind: 326,
		UserLength: 32, Line: 36, LineLength: 32, Host: 68, HostLength: 256, PID: 328, Seconds: 464, SecondsWidth: 8,
	}
}

// mountOptions are flags of sys/mount.h as mount(8) names them.
var mountOptions = []sysctl.Option{
	{Bit: 0x2, Name: "synchronous"}, {Bit: 0x4, Name: "noexec"}, {Bit: 0x8, Name: "nosuid"}, {Bit: 0x10, Name: "nodev"}, {Bit: 0x20, Name: "union"},
	{Bit: 0x40, Name: "asynchronous"}, {Bit: 0x8000, Name: "nocoredump"}, {Bit: 0x20000, Name: "relatime"}, {Bit: 0x100000, Name: "hidden"},
	{Bit: 0x800000, Name: "discard"}, {Bit: 0x1000000, Name: "extattr"}, {Bit: 0x2000000, Name: "log"}, {Bit: 0x4000000, Name: "noatime"},
	{Bit: 0x20000000, Name: "symperm"}, {Bit: 0x40000000, Name: "nodevmtime"}, {Bit: 0x80000000, Name: "soft dependencies"},
}
