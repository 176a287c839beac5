package freebsd

import (
	"fmt"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// clockRate is where struct clockinfo has the rate of the statistics clock: hz, tick, a
// spare one, stathz, profhz, each an int (sys/time.h).
const clockRate = 12

// cpuTimes is how many bytes kern.cp_times has for each CPU: user, nice, system,
// interrupt and idle, a long each (sys/resource.h, CP_USER to CP_IDLE).
const cpuTimes = 40

func readCPUs(p *sysctl.Pass) ([]sysctl.CPUTime, error) {
	b, err := p.AskNamed("kern.cp_times")
	if err != nil {
		return nil, err
	}
	all, ok := decodeCPUs(b)
	if !ok {
		return nil, sysctl.ErrContent
	}
	return all, nil
}

// decodeCPUs reads kern.cp_times. A CPU whose number is not in use has all zeros
// (sysctl_kern_cp_times, kern_clock.c).
func decodeCPUs(b []byte) (all []sysctl.CPUTime, ok bool) {
	whole := sysctl.Each(b, cpuTimes, func(r sysctl.Row) {
		t := sysctl.CPUTime{ID: uint64(len(all)), User: r.U64(0), Nice: r.U64(8), System: r.U64(16), Interrupt: r.U64(24), Idle: r.U64(32)}
		all = append(all, t)
	})
	used := all[:0]
	for _, t := range all {
		if t.User|t.Nice|t.System|t.Interrupt|t.Idle != 0 {
			used = append(used, t)
		}
	}
	return used, whole && len(used) > 0
}

// named reads a number that has a name of words, an int or a quad.
func named(p *sysctl.Pass, name string) (uint64, error) {
	b, err := p.AskNamed(name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if len(b) != 4 && len(b) != 8 {
		return 0, fmt.Errorf("%s of %d bytes: %w", name, len(b), sysctl.ErrContent)
	}
	return layout.Word(b, 0, len(b)), nil
}

// namedField is a named number, and the field that it is.
type namedField struct {
	name  string
	field platform.Field
}

// numbers is a source of named numbers, each read by a call of its own. One that this
// release does not have is absent.
func numbers(name string, fields []namedField) sysctl.HostSource {
	s := platform.Source{Name: name, Entity: platform.Host, Cost: len(fields)}
	for _, f := range fields {
		s.Gives = append(s.Gives, platform.Given{Field: f.field})
	}
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		for _, f := range fields {
			v, err := named(p, f.name)
			switch {
			case absent(err):
				continue
			case err != nil:
				return err
			}
			p.Sample().Set(f.field, v)
		}
		return nil
	}}
}

// cores is how many cores there are, since FreeBSD 12.
func cores() sysctl.HostSource {
	return numbers("kern.smp.cores", []namedField{{"kern.smp.cores", platform.HostCPUPhysical}})
}

// activity is what the kernel counts of itself, in 64 bits (vm_meter.c).
func activity() sysctl.HostSource {
	return numbers("vm.stats.sys", []namedField{
		{"vm.stats.sys.v_swtch", platform.HostContextSwitches},
		{"vm.stats.sys.v_intr", platform.HostInterrupts},
		{"vm.stats.sys.v_soft", platform.HostSoftInterrupts},
		{"vm.stats.sys.v_syscall", platform.HostSystemCalls},
	})
}

// Counters of vm.stats.vm: v_vm_faults counts all faults, v_io_faults those that had to
// wait for a disk.
const (
	allFaults = "vm.stats.vm.v_vm_faults"
	ioFaults  = "vm.stats.vm.v_io_faults"
)

// born are the ways that processes are made. Threads of the kernel are none.
var born = []string{"vm.stats.vm.v_forks", "vm.stats.vm.v_vforks", "vm.stats.vm.v_rforks"}

// swapped are pages, not requests.
var swapped = []namedField{{"vm.stats.vm.v_swappgsin", platform.HostSwapIn}, {"vm.stats.vm.v_swappgsout", platform.HostSwapOut}}

// paging is faults, pages to and from swap, and processes that were made.
func paging() sysctl.HostSource {
	s := sysctl.Level("vm.stats.vm", platform.Host, 7, platform.HostFaultsMinor, platform.HostFaultsMajor,
		platform.HostSwapIn, platform.HostSwapOut, platform.HostProcessesCreated)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		all, err := named(p, allFaults)
		if err != nil {
			return err
		}
		major, err := named(p, ioFaults)
		if err != nil {
			return err
		}
		p.Sample().Set(platform.HostFaultsMajor, major)
		p.Sample().Set(platform.HostFaultsMinor, max(all, major)-major)
		for _, f := range swapped {
			v, err := named(p, f.name)
			if err != nil {
				return err
			}
			p.Sample().Set(f.field, v)
		}
		var created uint64
		for _, name := range born {
			v, err := named(p, name)
			if err != nil {
				return err
			}
			created += v
		}
		p.Sample().Set(platform.HostProcessesCreated, created)
		return nil
	}}
}

// memory is what there is, and what of it is available: free, or inactive and clean
// enough to be given away. Pages in the laundry have to be written first.
func memory() sysctl.HostSource {
	s := sysctl.Level("hw.physmem, vm.stats.vm, vfs.bufspace", platform.Host, 6, platform.HostMemoryTotal, platform.HostMemoryFree,
		platform.HostMemoryActive, platform.HostMemoryInactive, platform.HostMemoryWired, platform.HostMemoryBuffers, platform.HostMemoryAvailable, platform.HostMemoryUsed)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		total, err := p.AskNumber(ctlHW, hwPhysMem)
		if err != nil {
			return err
		}
		var pages [4]uint64
		for i, name := range [...]string{"vm.stats.vm.v_free_count", "vm.stats.vm.v_active_count", "vm.stats.vm.v_inactive_count", "vm.stats.vm.v_wire_count"} {
			if pages[i], err = named(p, name); err != nil {
				return err
			}
			pages[i] *= p.Page()
		}
		buffers, err := named(p, "vfs.bufspace")
		if err != nil {
			return err
		}
		free, active, inactive := pages[0], pages[1], pages[2]
		available := min(free+inactive, total)
		s := p.Sample()
		s.Set(platform.HostMemoryTotal, total)
		s.Set(platform.HostMemoryFree, free)
		s.Set(platform.HostMemoryActive, active)
		s.Set(platform.HostMemoryInactive, inactive)
		s.Set(platform.HostMemoryWired, pages[3])
		s.Set(platform.HostMemoryBuffers, buffers)
		s.Set(platform.HostMemoryAvailable, available)
		s.Set(platform.HostMemoryUsed, total-available)
		return nil
	}}
}

// hostID is the UUID that the installation keeps (/etc/hostid).
func hostID() sysctl.HostSource {
	return sysctl.HostSource{Source: sysctl.Words("kern.hostuuid", 2, platform.HostID), Host: func(p *sysctl.Pass) error {
		id, err := p.String(ctlKern, kernHostUUID)
		p.SetText(platform.HostID, id)
		return err
	}}
}

// struct xswdev (vm/vm_param.h) of FreeBSD 12 and later, whose devices have 64 bits.
const (
	swapSize    = 32
	swapVersion = 2 // XSWDEV_VERSION
	swapBlocks  = 20
	swapUsed    = 24
	mostSwaps   = 64
)

// swap is the sum of all swap areas, one call for each, up to the first that is not there.
func swap() sysctl.HostSource {
	s := sysctl.Level("vm.swap_info", platform.Swap, 5, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		var total, used uint64
		for area := range int32(mostSwaps) {
			b, err := p.AskNamed("vm.swap_info", area)
			if absent(err) {
				break
			}
			if err != nil {
				return err
			}
			blocks, taken, ok := decodeSwap(b)
			if !ok {
				return sysctl.ErrContent
			}
			total, used = total+blocks, used+taken
		}
		if total == 0 {
			return nil
		}
		return p.Swap(total*p.Page(), used*p.Page())
	}}
}

// decodeSwap returns the pages of a swap area.
func decodeSwap(b []byte) (blocks, used uint64, ok bool) {
	if len(b) < swapSize || sysctl.Row(b).U32(0) != swapVersion {
		return 0, 0, false
	}
	return sysctl.Row(b).U32(swapBlocks), sysctl.Row(b).U32(swapUsed), true
}

// interfaceTable is struct if_msghdr with struct if_data in it (net/if.h since FreeBSD 11;
// IfMsghdr and IfData of golang.org/x/sys/unix).
func interfaceTable() sysctl.InterfaceTable {
	return sysctl.InterfaceTable{
		MIB: []int32{ctlNet, afRoute, 0, 0, rtIfList, 0}, Type: 0x0e, Down: 1, Up: 2, // LINK_STATE_DOWN, LINK_STATE_UP
		Size: 168, Flags: 8, Kind: 16, Link: 20, MTU: 24, Speed: 32,
		Counters: []sysctl.Member{
			{Field: platform.NetworkReceivePackets, At: 40}, {Field: platform.NetworkReceiveErrors, At: 48},
			{Field: platform.NetworkTransmitPackets, At: 56}, {Field: platform.NetworkTransmitErrors, At: 64},
			{Field: platform.NetworkReceiveBytes, At: 80}, {Field: platform.NetworkTransmitBytes, At: 88},
			{Field: platform.NetworkReceiveDropped, At: 112}, {Field: platform.NetworkTransmitDropped, At: 120},
		},
		Index: 12, Address: sysctl.AddressTable{Type: 0x0c, Size: 20, Index: 12, Set: 4, Align: 8, Inet6: familyInet6},
	}
}

// mountTable is struct statfs (sys/mount.h since FreeBSD 12; Statfs_t of
// golang.org/x/sys/unix).
func mountTable() sysctl.MountTable {
	return sysctl.MountTable{
		Name: "getfsstat", Size: 2344, Flags: 8, FlagsWidth: 8, Block: 16, BlockWidth: 8,
		Blocks: 32, Free: 40, Usable: 48, Files: 56, Unused: 64, Device: 192,
		Type: 280, TypeLength: 16, Source: 296, SourceLength: 1024, Point: 1320, PointLength: 1024,
		Options: mountOptions,
	}
}

// mountOptions are flags of sys/mount.h as mount(8) names them.
var mountOptions = []sysctl.Option{
	{Bit: 0x2, Name: "synchronous"}, {Bit: 0x4, Name: "noexec"}, {Bit: 0x8, Name: "nosuid"}, {Bit: 0x10, Name: "nfsv4acls"}, {Bit: 0x20, Name: "union"},
	{Bit: 0x40, Name: "asynchronous"}, {Bit: 0x100000, Name: "suiddir"}, {Bit: 0x200000, Name: "soft-updates"}, {Bit: 0x400000, Name: "nosymfollow"},
	{Bit: 0x2000000, Name: "gjournal"}, {Bit: 0x4000000, Name: "multilabel"}, {Bit: 0x8000000, Name: "acls"}, {Bit: 0x10000000, Name: "noatime"},
	{Bit: 0x40000000, Name: "noclusterr"}, {Bit: 0x80000000, Name: "noclusterw"}, {Bit: 0x100000000, Name: "journaled soft-updates"},
	{Bit: 0x200000000, Name: "automounted"},
}

// struct futx, as records in /var/run/utx.active are (utx.active in lib/libc/gen/utxdb.c):
// packed, and big-endian.
const (
	loginPath   = "/var/run/utx.active"
	loginSize   = 197
	loginType   = 0
	loginUser   = 21
	userProcess = 4 // USER_PROCESS
)

// sessions counts who is logged in.
func sessions() sysctl.HostSource {
	return sysctl.HostSource{Source: sysctl.Level(loginPath, platform.Host, 20, platform.HostSessions), Host: func(p *sysctl.Pass) error {
		b, err := p.File(loginPath)
		if err != nil {
			return err
		}
		p.Sample().Set(platform.HostSessions, decodeLogins(b))
		return nil
	}}
}

// decodeLogins counts the records of users. One that is being written is not whole, and
// left out.
func decodeLogins(b []byte) (users uint64) {
	sysctl.Each(b, loginSize, func(r sysctl.Row) {
		if r[loginType] == userProcess && r[loginUser] != 0 {
			users++
		}
	})
	return users
}
