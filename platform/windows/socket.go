package windows

import (
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// socketRow is the layout of a row of a table of sockets with their owners: behind a
// count of 32 bits, MIB_TCPROW_OWNER_PID, MIB_TCP6ROW_OWNER_PID, MIB_UDPROW_OWNER_PID
// and MIB_UDP6ROW_OWNER_PID. Ports are in network order. -1 is what a row lacks.
type socketRow struct {
	size                    int
	state                   int
	local, localPort        int
	remote, remotePort, pid int
	address                 int // bytes of an address
}

var socketRows = [socketTables]socketRow{
	TCP4: {size: 24, state: 0, local: 4, localPort: 8, remote: 12, remotePort: 16, pid: 20, address: 4},
	TCP6: {size: 56, state: 48, local: 0, localPort: 20, remote: 24, remotePort: 44, pid: 52, address: 16},
	UDP4: {size: 12, state: -1, local: 0, localPort: 4, remote: -1, remotePort: -1, pid: 8, address: 4},
	UDP6: {size: 28, state: -1, local: 0, localPort: 20, remote: -1, remotePort: -1, pid: 24, address: 16},
}

// tcpStates are those of MIB_TCP_STATE, from 1. The last, a socket that is about to be
// deleted, is closed.
var tcpStates = [...]platform.TCPState{
	1: platform.TCPClosed, platform.TCPListen, platform.TCPSynSent, platform.TCPSynReceived, platform.TCPEstablished,
	platform.TCPFinWait1, platform.TCPFinWait2, platform.TCPCloseWait, platform.TCPClosing, platform.TCPLastAck,
	platform.TCPTimeWait, platform.TCPClosed,
}

// tcpState returns a state by its number.
func tcpState(number uint32) platform.TCPState {
	if uint64(number) < uint64(len(tcpStates)) {
		return tcpStates[number]
	}
	return platform.TCPNone
}

// decodeSockets calls each with every row of a table. A table that holds less than
// it says is refused.
func decodeSockets(b []byte, row *socketRow, each func(row []byte)) (whole bool) {
	if len(b) < 4 {
		return false
	}
	count := layout.U32(b, 0)
	b = b[4:]
	if uint64(count) > uint64(len(b)/row.size) {
		return false
	}
	for range count {
		each(b[:row.size])
		b = b[row.size:]
	}
	return true
}

// sockets hands the rows of two tables to each. A Windows without IPv6 has only the
// first.
func (p *hostPass) sockets(each func(row []byte, layout *socketRow), tables ...SocketTable) error {
	for i, table := range tables {
		answer, err := p.grow(func(buf []byte) (int, error) { return p.kernel.Sockets(table, buf) })
		if i > 0 && errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return err
		}
		row := &socketRows[table]
		if !decodeSockets(answer, row, func(b []byte) { each(b, row) }) {
			return errContent
		}
	}
	return nil
}

func (p *hostPass) readTCP() error {
	var counts platform.TCPCounts
	err := p.sockets(func(b []byte, row *socketRow) { counts.Add(tcpState(layout.U32(b, row.state))) }, TCP4, TCP6)
	if err != nil {
		return err
	}
	p.host.sample.SetTCP(&counts)
	return nil
}

func (p *hostPass) readUDP() error {
	var count uint64
	if err := p.sockets(func([]byte, *socketRow) { count++ }, UDP4, UDP6); err != nil {
		return err
	}
	p.host.sample.Set(platform.HostUDP, count)
	return nil
}

// owned are the sockets of one process.
type owned struct {
	tcp platform.TCPCounts
	udp uint64
}

// readSockets counts the sockets of a process by state. The tables are asked for once
// in a pass, whoever the processes are.
func (r *reader) readSockets(v *visit) error {
	if !r.pass.socketed {
		r.pass.socketed = true
		r.pass.socketsErr = r.countOwned()
	}
	if r.pass.socketsErr != nil {
		return r.pass.socketsErr
	}
	o := r.owned[v.key.ID]
	r.sample.SetTCP(&o.tcp)
	r.sample.Set(platform.ProcessUDP, o.udp)
	return nil
}

// countOwned counts the sockets of every process.
func (r *reader) countOwned() error {
	if r.owned == nil {
		r.owned = map[uint64]owned{}
	}
	clear(r.owned)
	h := hostPass{reader: r}
	err := h.sockets(func(b []byte, row *socketRow) {
		pid := uint64(layout.U32(b, row.pid))
		o := r.owned[pid]
		o.tcp.Add(tcpState(layout.U32(b, row.state)))
		r.owned[pid] = o
	}, TCP4, TCP6)
	if err != nil {
		return err
	}
	return h.sockets(func(b []byte, row *socketRow) {
		pid := uint64(layout.U32(b, row.pid))
		o := r.owned[pid]
		o.udp++
		r.owned[pid] = o
	}, UDP4, UDP6)
}
