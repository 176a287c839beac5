package windows

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in MIB_IF_ROW2, and in MIB_IF_TABLE2: a count, padding, and rows
// (netioapi.h). Neither holds a pointer, so that they are the same everywhere.
const (
	ifTableRows    = 8
	ifRowSize      = 1352
	ifRowIndex     = 8
	ifRowAlias     = 28 // 257 UTF-16 characters
	ifRowAliasEnd  = ifRowAlias + 2*257
	ifRowMACLength = 1056
	ifRowMAC       = 1060
	ifRowMACMost   = 32
	ifRowMTU       = 1124
	ifRowType      = 1128
	ifRowFlags     = 1152
	ifRowOper      = 1156
	ifRowAdmin     = 1160
	ifRowSpeed     = 1192
)

// Bits of InterfaceAndOperStatusFlags, and types of interfaces (RFC 1573, ipifcons.h).
const (
	ifHardware = 1 << 0
	ifFilter   = 1 << 1
	ifLoopback = 24
	ifUp       = 1 // of AdminStatus
)

// ifCounters are the counters of 64 bits.
var ifCounters = [...]struct {
	field platform.Field
	at    []int // added up
}{
	{platform.NetworkReceiveBytes, []int{1208}},
	{platform.NetworkReceivePackets, []int{1216, 1224}}, // to this host; to many
	{platform.NetworkReceiveDropped, []int{1232}},
	{platform.NetworkReceiveErrors, []int{1240}},
	{platform.NetworkTransmitBytes, []int{1280}},
	{platform.NetworkTransmitPackets, []int{1288, 1296}},
	{platform.NetworkTransmitDropped, []int{1304}},
	{platform.NetworkTransmitErrors, []int{1312}},
}

// noMTU is what an interface says that has no limit: the loopback.
const noMTU = 1<<32 - 1

func interfaceFields() []platform.Field {
	fields := []platform.Field{platform.NetworkMTU}
	for _, c := range ifCounters {
		fields = append(fields, c.field)
	}
	return fields
}

// ifRow is one MIB_IF_ROW2.
type ifRow []byte

// decodeInterfaces calls each with every row of MIB_IF_TABLE2, until one returns false.
func decodeInterfaces(b []byte, each func(ifRow) bool) (whole bool) {
	if len(b) < ifTableRows {
		return false
	}
	count := layout.U32(b, 0)
	b = b[ifTableRows:]
	if uint64(count) > uint64(len(b)/ifRowSize) {
		return false
	}
	for range count {
		if !each(ifRow(b[:ifRowSize])) {
			return true
		}
		b = b[ifRowSize:]
	}
	return true
}

// alias returns the name that users know an interface by, in UTF-16.
func (row ifRow) alias() []byte {
	name := row[ifRowAlias:ifRowAliasEnd]
	for at := 0; at < len(name); at += 2 {
		if name[at] == 0 && name[at+1] == 0 {
			return name[:at]
		}
	}
	return name
}

// listed reports whether an interface is one by itself and set up: filters see the
// packets of the interface below them again.
func (row ifRow) listed() bool {
	return row[ifRowFlags]&ifFilter == 0 && layout.U32(row, ifRowAdmin) == ifUp
}

func (row ifRow) hardware() bool { return row.listed() && row[ifRowFlags]&ifHardware != 0 }
func (row ifRow) loopback() bool { return layout.U32(row, ifRowType) == ifLoopback }

// set sets the counters and the largest packet.
func (row ifRow) set(s *platform.Sample) {
	for _, c := range ifCounters {
		var sum uint64
		for _, at := range c.at {
			sum += layout.U64(row, at)
		}
		s.Set(c.field, sum)
	}
	if mtu := layout.U32(row, ifRowMTU); mtu != noMTU {
		s.Set(platform.NetworkMTU, uint64(mtu))
	}
}

// sendInterfaces hands on the network interfaces with hardware behind them, unless
// all are wanted. Where there are none of these it hands on all but the loopback.
func (p *hostPass) sendInterfaces() (more bool) {
	if !p.wants(fromInterfaces) {
		return true
	}
	answer, err := p.grow(p.kernel.Interfaces)
	if err != nil {
		p.check(fromInterfaces, err)
		return true
	}
	hardware := false
	if !decodeInterfaces(answer, func(row ifRow) bool { hardware = hardware || row.hardware(); return true }) {
		p.check(fromInterfaces, errContent)
		return true
	}
	clear(p.host.seen)
	more = true
	decodeInterfaces(answer, func(row ifRow) bool {
		wanted := p.options.AllDevices || row.hardware() || !hardware && row.listed() && !row.loopback()
		if wanted {
			more = p.sendInterface(row)
		}
		return more
	})
	return more
}

func (p *hostPass) sendInterface(row ifRow) bool {
	p.text = text.AppendUTF16(p.text[:0], row.alias())
	name := string(p.text)
	if name == "" || !p.host.once(name) {
		return true
	}
	s := &p.host.sample
	s.Reset(platform.Network, platform.Key{Name: name})
	row.set(s)
	return p.send()
}
