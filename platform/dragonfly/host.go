package dragonfly

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// cpuTimes is struct kinfo_cputime (sys/kinfo.h): user, nice, system, interrupt and idle time
// in microseconds, 64 bits each, and what is for debugging.
const cpuTimes = 104

func readCPUs(p *sysctl.Pass) ([]sysctl.CPUTime, error) {
	b, err := p.AskNamed("kern.cputime")
	if err != nil {
		return nil, err
	}
	all, whole := decodeCPUs(b)
	if !whole {
		return nil, sysctl.ErrContent
	}
	return all, nil
}

func decodeCPUs(b []byte) (all []sysctl.CPUTime, whole bool) {
	whole = sysctl.Each(b, cpuTimes, func(r sysctl.Row) {
		all = append(all, sysctl.CPUTime{ID: uint64(len(all)), User: r.U64(0), Nice: r.U64(8), System: r.U64(16), Interrupt: r.U64(24), Idle: r.U64(32)})
	})
	return all, whole && len(all) > 0
}

// pages are numbers of pages, each read by a call of its own.
var pages = []struct {
	name  string
	field platform.Field
}{
	{"vm.stats.vm.v_page_count", platform.HostMemoryTotal}, {"vm.stats.vm.v_free_count", platform.HostMemoryFree},
	{"vm.stats.vm.v_active_count", platform.HostMemoryActive}, {"vm.stats.vm.v_inactive_count", platform.HostMemoryInactive},
	{"vm.stats.vm.v_wire_count", platform.HostMemoryWired},
}

// memory is how many pages there are, and of which kind.
func memory() sysctl.HostSource {
	s := platform.Source{Name: "vm.stats.vm", Entity: platform.Host, Cost: len(pages)}
	for _, f := range pages {
		s.Gives = append(s.Gives, platform.Given{Field: f.field})
	}
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		for _, f := range pages {
			b, err := p.AskNamed(f.name)
			if err != nil {
				return err
			}
			if len(b) != 4 && len(b) != 8 {
				return sysctl.ErrContent
			}
			p.Sample().Set(f.field, layout.Word(b, 0, len(b))*p.Page())
		}
		return nil
	}}
}

const familyInet6 = 28

// interfaceTable is struct if_msghdr with struct if_data in it (net/if.h; IfMsghdr and IfData
// of golang.org/x/sys/unix), with the states LINK_STATE_*.
func interfaceTable() sysctl.InterfaceTable {
	return sysctl.InterfaceTable{
		MIB: []int32{ctlNet, afRoute, 0, 0, rtIfList, 0}, Type: 0x0e, Down: 1, Up: 2,
		Size: 176, Flags: 8, Kind: 16, Link: 40, LinkWide: true, MTU: 24, MTUWide: true, Speed: 48,
		Counters: []sysctl.Member{
			{Field: platform.NetworkReceivePackets, At: 56}, {Field: platform.NetworkReceiveErrors, At: 64},
			{Field: platform.NetworkTransmitPackets, At: 72}, {Field: platform.NetworkTransmitErrors, At: 80},
			{Field: platform.NetworkReceiveBytes, At: 96}, {Field: platform.NetworkTransmitBytes, At: 104},
			{Field: platform.NetworkReceiveDropped, At: 128}, {Field: platform.NetworkTransmitDropped, At: 152},
		},
		Index: 4, Address: sysctl.AddressTable{Type: 0x0c, Size: 24, Index: 4, Set: 12, Align: 8, Inet6: familyInet6},
	}
}

// mountTable is struct statfs (sys/mount.h; Statfs_t of golang.org/x/sys/unix).
func mountTable() sysctl.MountTable {
	return sysctl.MountTable{
		Name: "getfsstat", Size: 320, Flags: 80, FlagsWidth: 4, Block: 8, BlockWidth: 8,
		Blocks: 24, Free: 32, Usable: 40, Files: 48, Unused: 56, Device: 64,
		Type: 104, TypeLength: 16, Point: 120, PointLength: 80, Source: 218, SourceLength: 80,
	}
}
