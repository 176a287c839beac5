package windows

import (
	"encoding/binary"
	"net/netip"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/windows"
)

// What an interface is: its type (IANAifType of ipifcons.h), whether there is hardware behind it
// (the first bit of InterfaceAndOperStatusFlags of netioapi.h), and its states (IF_OPER_STATUS
// and NET_IF_ADMIN_STATUS of ifdef.h).
const (
	ethernet, loopback = 6, 24
	hardware           = 1
	up, down           = 1, 2
)

// Interfaces is MIB_IF_TABLE2: the loopback, which has no limit to its packets, and those of the world.
func (k *Kernel) Interfaces(buf []byte) (int, error) {
	if err := k.call("Interfaces"); err != nil {
		return 0, err
	}
	b, _ := zeros(into(buf), k.headers.Interfaces.Offset("Table"))
	b = k.interfaceRow(b, &simkernel.Interface{Name: "Loopback", Index: 99, Up: true, MTU: 1<<32 - 1}, loopback, 0)
	for _, i := range k.World.Interfaces {
		b = k.interfaceRow(b, i, ethernet, hardware)
	}
	k.headers.Interfaces.Put(b, "NumEntries", uint64(1+len(k.World.Interfaces)))
	return answer(b)
}

// interfaceRow is MIB_IF_ROW2. All packets are to one host.
func (k *Kernel) interfaceRow(b []byte, i *simkernel.Interface, kind, flags uint64) []byte {
	b, row := zeros(b, k.headers.Interface.Size)
	oper := uint64(down)
	if i.Up {
		oper = up
	}
	wide(row[k.alias:k.alias], i.Name)
	k.link.Put(row, uint64(i.Index), i.MTU, kind, flags, oper, up, i.ReceivedBytes, i.ReceivedPackets, i.ReceiveDropped, i.ReceiveErrors,
		i.SentBytes, i.SentPackets, i.SendErrors)
	return b
}

// tcpStates are the numbers of MIB_TCP_STATE (tcpmib.h).
var tcpStates = [...]uint64{
	platform.TCPClosed: 1, platform.TCPListen: 2, platform.TCPSynSent: 3, platform.TCPSynReceived: 4, platform.TCPEstablished: 5,
	platform.TCPFinWait1: 6, platform.TCPFinWait2: 7, platform.TCPCloseWait: 8, platform.TCPClosing: 9, platform.TCPLastAck: 10,
	platform.TCPTimeWait: 11,
}

// Sockets is a table of the sockets of everybody who lives, each with its owner.
func (k *Kernel) Sockets(table windows.SocketTable, buf []byte) (int, error) {
	if err := k.call("Sockets"); err != nil {
		return 0, err
	}
	b, count := into(buf), uint32(0)
	b, _ = zeros(b, 4)
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie || tableOf(p) != table {
			continue
		}
		var row []byte
		b, row = zeros(b, k.sockets[table].size)
		k.sockets[table].put(row, p)
		count++
	}
	binary.LittleEndian.PutUint32(b, count)
	return answer(b)
}

// tableOf is where the socket of a process is listed.
func tableOf(p *simkernel.Process) windows.SocketTable {
	return [...][2]windows.SocketTable{{windows.UDP4, windows.UDP6}, {windows.TCP4, windows.TCP6}}[bit(p.IsTCP())][bit(p.Wide())]
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// socketRow is where in a row of a table is what; ends are the local one and, of TCP, the other.
type socketRow struct {
	size       int
	pid, state simkernel.Fields
	ends       []socketEnd
}

type socketEnd struct{ address, port int }

// socketRowOf finds the members of a row whose addresses begin with dw where they are numbers,
// and with uc where they are bytes.
func socketRowOf(s *simkernel.Struct, address string, ends ...string) socketRow {
	row := socketRow{size: s.Size, pid: s.Fields("dwOwningPid")}
	for _, end := range ends {
		row.ends = append(row.ends, socketEnd{s.Offset(address + end + "Addr"), s.Offset("dw" + end + "Port")})
	}
	if len(ends) > 1 {
		row.state = s.Fields("dwState")
	}
	return row
}

func (s *socketRow) put(row []byte, p *simkernel.Process) {
	s.pid.Put(row, p.PID)
	s.ends[0].put(row, p.Local())
	if p.IsTCP() {
		s.state.Put(row, tcpStates[p.TCPState()])
		s.ends[1].put(row, p.Peer())
	}
}

// put writes an address, and a port in the order of the network.
func (e socketEnd) put(row []byte, at netip.AddrPort) {
	copy(row[e.address:], at.Addr().AsSlice())
	binary.BigEndian.PutUint16(row[e.port:], at.Port())
}

// Statistics is each counter's number in its structure.
func (k *Kernel) Statistics(table windows.StatisticsTable, buf []byte) error {
	for i := range len(buf) / 4 {
		binary.LittleEndian.PutUint32(buf[4*i:], uint32(i+1))
	}
	return k.call("Statistics")
}
