package windows

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/netip"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in MIB_UNICASTIPADDRESS_ROW, behind a count and padding (netioapi.h).
const (
	addressRows   = 8
	addressSize   = 80
	addressV4     = 4 // of the address in sockaddr_in
	addressV6     = 8 // and in sockaddr_in6
	addressIndex  = 40
	addressPrefix = 60

	familyInet  = 2
	familyInet6 = 23
)

// decodeAddresses calls each with every address of a table, and the index of its
// interface.
func decodeAddresses(b []byte, each func(index uint32, a platform.Address)) (whole bool) {
	if len(b) < addressRows {
		return false
	}
	count := layout.U32(b, 0)
	b = b[addressRows:]
	if uint64(count) > uint64(len(b)/addressSize) {
		return false
	}
	for range count {
		row := b[:addressSize]
		b = b[addressSize:]
		var ip netip.Addr
		switch layout.U16(row, 0) {
		case familyInet:
			ip = netip.AddrFrom4([4]byte(row[addressV4:]))
		case familyInet6:
			ip = netip.AddrFrom16([16]byte(row[addressV6:]))
		default:
			continue
		}
		each(layout.U32(row, addressIndex), platform.Address{IP: ip, Bits: int(row[addressPrefix])})
	}
	return true
}

// Interfaces returns all network interfaces that are set up and no filters.
func (b *backend) Interfaces(ctx context.Context) ([]platform.Interface, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	addresses := map[uint32][]platform.Address{}
	h := hostPass{reader: &p.reader}
	answer, err := h.grow(p.kernel.Addresses)
	if err == nil && !decodeAddresses(answer, func(index uint32, a platform.Address) {
		addresses[index] = append(addresses[index], a)
	}) {
		err = errContent
	}
	if err != nil {
		return nil, named("GetUnicastIpAddressTable", err)
	}
	if answer, err = h.grow(p.kernel.Interfaces); err != nil {
		return nil, named("GetIfTable2", err)
	}
	interfaces := []platform.Interface{}
	whole := decodeInterfaces(answer, func(row ifRow) bool {
		if row.listed() {
			interfaces = append(interfaces, row.describe(addresses))
		}
		return true
	})
	if !whole {
		return nil, named("GetIfTable2", errContent)
	}
	return interfaces, nil
}

// operStates are those of RFC 2863, from 1.
var operStates = [...]string{1: "up", "down", "testing", "unknown", "dormant", "notpresent", "lowerlayerdown"}

// noSpeed is what an interface says whose speed is not known.
const noSpeed = 1<<64 - 1

// describe tells of one interface.
func (row ifRow) describe(addresses map[uint32][]platform.Address) platform.Interface {
	index := layout.U32(row, ifRowIndex)
	i := platform.Interface{
		Index: int(index), Name: string(text.AppendUTF16(nil, row.alias())), Up: layout.U32(row, ifRowAdmin) == ifUp,
		Addresses: addresses[index],
	}
	if state := layout.U32(row, ifRowOper); uint64(state) < uint64(len(operStates)) {
		i.State = operStates[state]
	}
	if i.State == "up" {
		i.Flags = append(i.Flags, "up")
	}
	if row.loopback() {
		i.Flags = append(i.Flags, "loopback")
	}
	if mtu := uint64(layout.U32(row, ifRowMTU)); mtu != noMTU {
		i.MTU = &mtu
	}
	if speed := layout.U64(row, ifRowSpeed); speed != 0 && speed != noSpeed {
		i.Speed = &speed
	}
	if n := layout.U32(row, ifRowMACLength); n > 0 && n <= ifRowMACMost {
		i.Hardware = bytes.Clone(row[ifRowMAC : ifRowMAC+int(n)])
	}
	return i
}

// Mounts returns the volumes of the drives, those of the network among them.
func (b *backend) Mounts(ctx context.Context) ([]platform.Mount, error) {
	if _, err := b.inspect(ctx); err != nil {
		return nil, err
	}
	v := volumes{}
	v.init(b.kernel, Options{AllDevices: true, Budget: b.options.Budget})
	v.ask()
	if v.err != nil {
		return nil, named("GetLogicalDrives", v.err)
	}
	mounts := []platform.Mount{}
	for _, a := range v.await(ctx) {
		if errors.Is(a.err, fs.ErrNotExist) {
			continue // no medium in the drive
		}
		m := platform.Mount{Root: `\`, Point: a.drive.root, Device: uint64(a.volume.Serial), Type: a.volume.Type,
			Source: a.volume.Device, ReadOnly: a.volume.ReadOnly}
		mounts = append(mounts, m)
	}
	return mounts, ctx.Err()
}

// Sessions returns the users that are logged in.
func (b *backend) Sessions(ctx context.Context) ([]platform.Session, error) {
	if _, err := b.inspect(ctx); err != nil {
		return nil, err
	}
	all, err := b.kernel.Sessions()
	if err != nil {
		return nil, named("WTSEnumerateSessions", err)
	}
	sessions := []platform.Session{}
	for _, s := range all {
		if s.User != "" {
			sessions = append(sessions, platform.Session{User: s.User, Terminal: s.Station, Host: s.Client, Started: timeOf(max(s.Logon, unixEpoch))})
		}
	}
	return sessions, nil
}

// Details returns where each detail is read.
func Details() []platform.DetailSource {
	process := func(name, needs string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Process, Reads: append([]string{"SystemProcessInformation"}, reads...), Needs: needs}
	}
	host := func(name string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Host, Reads: reads}
	}
	return []platform.DetailSource{
		process("Identity", "", "TokenUser", "ProcessPriorityClass", "WTSEnumerateSessions"),
		process("Arguments", limitedRight, "ProcessCommandLineInformation", "RTL_USER_PROCESS_PARAMETERS"),
		process("Environment", memoryRight, "RTL_USER_PROCESS_PARAMETERS"),
		process("Executable", "", "ProcessImageFileNameWin32", "SystemProcessIdInformation"),
		process("WorkingDirectory", memoryRight, "RTL_USER_PROCESS_PARAMETERS"),
		process("Affinity", limitedRight, "ProcessBasicInformation", "ProcessGroupInformation"),
		process("IOPriority", limitedRight, "ProcessIoPriority"),
		process("OpenFiles", memoryRight, "SystemExtendedHandleInformation", "GetFinalPathNameByHandle"),
		process("Connections", "", "GetExtendedTcpTable", "GetExtendedUdpTable"),
		process("Threads", ""),
		process("MemoryMaps", memoryRight, "VirtualQueryEx", "GetMappedFileName", "QueryWorkingSetEx"),
		process("Children", ""),
		process("Descendants", ""),
		process("Parents", ""),
		host("Interfaces", "GetIfTable2", "GetUnicastIpAddressTable"),
		host("Mounts", "GetLogicalDrives", "GetVolumeInformation", "GetDiskFreeSpaceEx"),
		host("Sessions", "WTSEnumerateSessions"),
		{Detail: "Services", Entity: platform.Service, Reads: []string{"EnumServicesStatusEx", "QueryServiceConfig", "QueryServiceConfig2", "SystemProcessInformation"}},
	}
}
