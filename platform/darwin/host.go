package darwin

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Flavors of host_statistics64() and host_processor_info() (mach/host_info.h,
// mach/processor_info.h), and the order of what a CPU does (mach/machine.h). Ticks are
// hundredths of a second in 32 bits.
const (
	flavorLoad   = 3 // HOST_CPU_LOAD_INFO
	flavorMemory = 4 // HOST_VM_INFO64
	flavorCPUs   = 2 // PROCESSOR_CPU_LOAD_INFO

	loadSize = 16
	loadTick = 1e7 // nanoseconds
)

// loads are the fields of a CPU in the order of CPU_STATE_USER, _SYSTEM, _IDLE and _NICE.
var (
	hostLoads = [...]platform.Field{platform.HostCPUUser, platform.HostCPUSystem, platform.HostCPUIdle, platform.HostCPUNice}
	cpuLoads  = [...]platform.Field{platform.CPUUser, platform.CPUSystem, platform.CPUIdle, platform.CPUNice}
)

// setLoad sets what CPUs did. Interrupts are part of the system time.
func setLoad(s *platform.Sample, fields [4]platform.Field, r sysctl.Row) {
	for i, f := range fields {
		s.Set(f, r.U32(4*i)*loadTick)
	}
}

// processors is what all CPUs together and each of them did. The sum wraps as each does, so
// that it is asked for, and not made.
func (m *machine) processors() sysctl.HostSource {
	s := sysctl.Level("host_statistics64 HOST_CPU_LOAD_INFO, host_processor_info", platform.Host, 5, platform.HostCPULogical)
	for i := range hostLoads {
		s.Gives = append(s.Gives, platform.Given{Field: hostLoads[i], Step: loadTick, Bits: 32}, platform.Given{Field: cpuLoads[i], Step: loadTick, Bits: 32})
	}
	var each []byte
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) (err error) {
		var b [loadSize]byte
		n, err := m.kernel.Statistics(flavorLoad, b[:])
		if err == nil && n < loadSize {
			err = sysctl.ErrContent
		}
		if err != nil {
			return err
		}
		if each, err = m.loads(each); err != nil {
			return err
		}
		setLoad(p.Sample(), hostLoads, b[:])
		p.Sample().Set(platform.HostCPULogical, uint64(len(each)/loadSize))
		p.Timed()
		return nil
	}, Each: func(p *sysctl.Pass) error { return sendProcessors(p, each) }}
}

// loads reads what each CPU did.
func (m *machine) loads(buf []byte) ([]byte, error) {
	answer, _, err := layout.Grow(buf[:cap(buf)], func(buf []byte) (int, error) { return m.kernel.Processors(flavorCPUs, buf) })
	if err == nil && (len(answer) == 0 || len(answer)%loadSize != 0) {
		err = sysctl.ErrContent
	}
	return answer, err
}

func sendProcessors(p *sysctl.Pass, each []byte) (err error) {
	id := uint64(0)
	sysctl.Each(each, loadSize, func(r sysctl.Row) {
		if err != nil {
			return
		}
		p.Sample().Reset(platform.CPU, platform.Key{ID: id})
		setLoad(p.Sample(), cpuLoads, r)
		p.SetSpeed(id)
		id++
		err = p.Hand()
	})
	return err
}

// named reads a number that has a name of words, of 32 or 64 bits.
func named(p *sysctl.Pass, name string) (uint64, error) {
	b, err := p.AskNamed(name)
	if err != nil {
		return 0, err
	}
	if len(b) != 4 && len(b) != 8 {
		return 0, sysctl.ErrContent
	}
	return layout.Word(b, 0, len(b)), nil
}

// cores is how many cores there are.
func cores() sysctl.HostSource {
	return sysctl.HostSource{Source: sysctl.Level("hw.physicalcpu", platform.Host, 1, platform.HostCPUPhysical), Host: func(p *sysctl.Pass) error {
		v, err := named(p, "hw.physicalcpu")
		if err == nil {
			p.Sample().Set(platform.HostCPUPhysical, v)
		}
		return err
	}}
}

// struct vm_statistics64 (mach/vm_statistics.h), as long as it was in macOS 10.9. Pages are
// counted in 32 bits, what happened in 64.
const (
	vmSize        = 152
	vmFree        = 0
	vmActive      = 4
	vmInactive    = 8
	vmWired       = 12
	vmPageIns     = 32
	vmFaults      = 48
	vmSpeculative = 92
	vmSwapIns     = 112
	vmSwapOuts    = 120
	vmExternal    = 136
)

// memory is what there is, and what of it is available: free, or inactive. Pages that were
// read ahead are free to be taken, and counted as free by the kernel.
func (m *machine) memory() sysctl.HostSource {
	s := sysctl.Level("hw.memsize, host_statistics64 HOST_VM_INFO64", platform.Host, 2, platform.HostMemoryTotal, platform.HostMemoryFree,
		platform.HostMemoryActive, platform.HostMemoryInactive, platform.HostMemoryWired, platform.HostMemoryCached, platform.HostMemoryAvailable, platform.HostMemoryUsed,
		platform.HostFaultsMinor, platform.HostFaultsMajor, platform.HostSwapIn, platform.HostSwapOut)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		total, err := named(p, "hw.memsize")
		if err != nil {
			return err
		}
		var b [vmSize]byte
		n, err := m.kernel.Statistics(flavorMemory, b[:])
		if err == nil && n < vmSize {
			err = sysctl.ErrContent
		}
		if err == nil {
			setMemory(p.Sample(), b[:], total, p.Page())
		}
		return err
	}}
}

func setMemory(s *platform.Sample, r sysctl.Row, total, page uint64) {
	free, inactive := r.U32(vmFree)*page, r.U32(vmInactive)*page
	available := min(free+inactive, total)
	s.Set(platform.HostMemoryTotal, total)
	s.Set(platform.HostMemoryFree, free-min(free, r.U32(vmSpeculative)*page))
	s.Set(platform.HostMemoryActive, r.U32(vmActive)*page)
	s.Set(platform.HostMemoryInactive, inactive)
	s.Set(platform.HostMemoryWired, r.U32(vmWired)*page)
	s.Set(platform.HostMemoryCached, r.U32(vmExternal)*page)
	s.Set(platform.HostMemoryAvailable, available)
	s.Set(platform.HostMemoryUsed, total-available)
	faults, major := r.U64(vmFaults), r.U64(vmPageIns)
	s.Set(platform.HostFaultsMajor, major)
	s.Set(platform.HostFaultsMinor, max(faults, major)-major)
	s.Set(platform.HostSwapIn, r.U64(vmSwapIns))
	s.Set(platform.HostSwapOut, r.U64(vmSwapOuts))
}

// struct xsw_usage (sys/sysctl.h).
const (
	swapSize  = 32
	swapTotal = 0
	swapUsed  = 16
)

// swap is vm.swapusage: the files that macOS makes as it needs them.
func swap() sysctl.HostSource {
	s := sysctl.Level("vm.swapusage", platform.Swap, 2, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		b, err := p.AskNamed("vm.swapusage")
		if err != nil {
			return err
		}
		if len(b) < swapSize {
			return sysctl.ErrContent
		}
		r := sysctl.Row(b)
		if r.U64(swapTotal) == 0 {
			return nil
		}
		return p.Swap(r.U64(swapTotal), r.U64(swapUsed))
	}}
}

// words are the names of what the system is. The product's version is there since macOS
// 10.13.4.
var words = [...]string{"kern.hostname", "hw.machine", "kern.osproductversion", "kern.osversion"}

// system is who the host is.
func system() sysctl.HostSource {
	s := sysctl.Words("kern.hostname, hw.machine, kern.osproductversion, kern.osversion", 5, platform.HostName, platform.HostArch,
		platform.OSType, platform.OSName, platform.OSVersion, platform.OSDescription, platform.OSBuild)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		var are [len(words)]string
		for i, name := range words {
			b, err := p.AskNamed(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			are[i] = sysctl.CString(b)
		}
		if are[1] == "x86_64" {
			are[1] = "amd64"
		}
		p.SetText(platform.HostName, are[0])
		p.SetText(platform.HostArch, are[1])
		p.SetText(platform.OSType, "darwin")
		p.SetText(platform.OSName, "macOS")
		p.SetText(platform.OSVersion, are[2])
		p.SetText(platform.OSDescription, "macOS "+are[2])
		p.SetText(platform.OSBuild, are[3])
		return nil
	}}
}

// interfaceTable is struct if_msghdr2 with struct if_data64 in it (net/if.h, net/if_var.h;
// IfMsghdr2 and IfData64 of golang.org/x/sys/unix).
func interfaceTable() sysctl.InterfaceTable {
	return sysctl.InterfaceTable{
		MIB: []int32{ctlNet, afRoute, 0, 0, rtIfList2, 0}, Type: 0x12, // RTM_IFINFO2
		Size: 160, Flags: 8, Kind: 32, MTU: 40, Speed: 48,
		Counters: []sysctl.Member{
			{Field: platform.NetworkReceivePackets, At: 56}, {Field: platform.NetworkReceiveErrors, At: 64},
			{Field: platform.NetworkTransmitPackets, At: 72}, {Field: platform.NetworkTransmitErrors, At: 80},
			{Field: platform.NetworkReceiveBytes, At: 96}, {Field: platform.NetworkTransmitBytes, At: 104},
			{Field: platform.NetworkReceiveDropped, At: 128},
		},
		Index: 12, Address: sysctl.AddressTable{Type: 0x0c, Size: 20, Index: 12, Set: 4, Align: 4, Inet6: familyInet6},
	}
}

// mountTable is struct statfs (sys/mount.h; Statfs_t of golang.org/x/sys/unix).
func mountTable() sysctl.MountTable {
	return sysctl.MountTable{
		Name: "getfsstat", Size: 2168, Flags: 64, FlagsWidth: 4, Block: 0, BlockWidth: 4,
		Blocks: 8, Free: 16, Usable: 24, Files: 32, Unused: 40, Device: 48,
		Type: 72, TypeLength: 16, Point: 88, PointLength: 1024, Source: 1112, SourceLength: 1024,
		Options: mountOptions,
	}
}

// mountOptions are flags of sys/mount.h as mount(8) names them.
var mountOptions = []sysctl.Option{
	{Bit: 0x2, Name: "synchronous"}, {Bit: 0x4, Name: "noexec"}, {Bit: 0x8, Name: "nosuid"}, {Bit: 0x10, Name: "nodev"}, {Bit: 0x20, Name: "union"},
	{Bit: 0x40, Name: "asynchronous"}, {Bit: 0x80, Name: "protect"}, {Bit: 0x200, Name: "removable"}, {Bit: 0x400, Name: "quarantine"},
	{Bit: 0x1000, Name: "local"}, {Bit: 0x100000, Name: "nobrowse"}, {Bit: 0x200000, Name: "noowners"}, {Bit: 0x400000, Name: "automounted"},
	{Bit: 0x800000, Name: "journaled"}, {Bit: 0x1000000, Name: "nouserxattr"}, {Bit: 0x10000000, Name: "noatime"}, {Bit: 0x40000000, Name: "snapshot"},
}
