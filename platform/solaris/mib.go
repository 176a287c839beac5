package solaris

import (
	"errors"
	"net/netip"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// The list of sockets comes as messages of a stream (snmpcom_req of illumos's inet/snmpcom.c;
// netstat(8) asks so too): a T_optmgmt_req with a struct opthdr behind it is answered by a
// T_optmgmt_ack with an opthdr and, as data, a table. One of level 0 without data is the last.
const (
	pushModule  = 'S'<<8 | 2 // I_PUSH of sys/stropts.h
	controlRoom = 512
	ackSize     = 16
	ackType     = 0
	ackLength   = 4
	ackOffset   = 8
	ackFlags    = 12
	optionSize  = 12 // level, name, length: 32 bits each
	mostTable   = 64 << 20

	typeRequest = 9     // T_SVR4_OPTMGMT_REQ of sys/tihdr.h
	typeAck     = 22    // T_OPTMGMT_ACK
	flagCurrent = 0x080 // T_CURRENT of sys/tiuser.h
	flagSuccess = 0x020 // T_SUCCESS
)

// table is the level and the name of a table (inet/mib2.h).
type table struct{ level, name uint32 }

var (
	tableIP   = table{260, 0}  // MIB2_IP: all are asked at once
	tableTCP  = table{262, 13} // MIB2_TCP, MIB2_TCP_CONN
	tableTCP6 = table{270, 14}
	tableUDP  = table{263, 5} // MIB2_UDP, MIB2_UDP_ENTRY
	tableUDP6 = table{271, 6}
)

// Offsets in mib2_tcpConnEntry_t and mib2_tcp6ConnEntry_t, and sizes of all four, which are
// packed to be the same in programs of 32 bits. Ports are in the machine's order.
var shapes = map[table]struct{ size, state, local, localPort, peer, peerPort, width int }{
	tableTCP: {68, 0, 4, 8, 12, 16, 4}, tableTCP6: {96, 44, 0, 16, 20, 36, 16}, tableUDP: {size: 36}, tableUDP6: {size: 64},
}

// stateNumbers are MIB2_TCP_*, those of tcpConnState in RFC 4022.
var stateNumbers = [...]platform.TCPState{1: platform.TCPClosed, 2: platform.TCPListen, 3: platform.TCPSynSent, 4: platform.TCPSynReceived,
	5: platform.TCPEstablished, 6: platform.TCPFinWait1, 7: platform.TCPFinWait2, 8: platform.TCPCloseWait, 9: platform.TCPLastAck,
	10: platform.TCPClosing, 11: platform.TCPTimeWait}

// socket is one of the list.
type socket struct {
	tcp         bool
	state       platform.TCPState
	local, peer netip.AddrPort
}

var errRefused = errors.New("the transport refused the request")

// sockets asks for all sockets of TCP and UDP. Both are for everybody to see.
func (b *backend) sockets() (all []socket, err error) {
	request := make([]byte, ackSize+optionSize)
	for at, v := range map[int]uint64{ackType: typeRequest, ackLength: optionSize, ackOffset: ackSize, ackFlags: flagCurrent, ackSize: uint64(tableIP.level), ackSize + 8: 1} {
		layout.PutWord(request, at, 4, v)
	}
	var now table
	var room []byte
	add := func() {
		found, whole := decodeSockets(now, room)
		if all = append(all, found...); !whole && err == nil {
			err = errContent
		}
	}
	ended := false
	failed := b.kernel.Messages(request, func(control []byte) []byte {
		add()
		now, room = table{}, nil
		t, length, ok := decodeAck(control)
		switch {
		case len(control) == 0:
			return nil
		case !ok:
			err = errRefused
			return nil
		case t == table{}:
			ended = true
			return nil
		}
		now, room = t, make([]byte, length, length+1)
		return room[:max(length, 1)]
	})
	switch {
	case failed != nil:
		return nil, failed
	case err == nil && !ended:
		err = errContent
	}
	return all, err
}

// decodeAck reads the control part of an answer: which table it is, and how long.
func decodeAck(b []byte) (t table, length int, ok bool) {
	if len(b) < ackSize || layout.U32(b, ackType) != typeAck || layout.U32(b, ackFlags) != flagSuccess {
		return t, 0, false
	}
	at := uint64(layout.U32(b, ackOffset))
	if at+optionSize > uint64(len(b)) {
		return t, 0, false
	}
	size := layout.U32(b, int(at)+8)
	return table{layout.U32(b, int(at)), layout.U32(b, int(at)+4)}, int(min(size, mostTable)), size <= mostTable
}

// decodeSockets reads a table. Of others than the four nothing is read.
func decodeSockets(t table, b []byte) (all []socket, whole bool) {
	shape, known := shapes[t]
	if !known {
		return nil, true
	}
	for ; len(b) >= shape.size; b = b[shape.size:] {
		s := socket{tcp: shape.width != 0}
		if s.tcp {
			if number := layout.U32(b, shape.state); number < uint32(len(stateNumbers)) {
				s.state = stateNumbers[number]
			}
			s.local = endOf(b, shape.local, shape.width, shape.localPort)
			s.peer = endOf(b, shape.peer, shape.width, shape.peerPort)
		}
		all = append(all, s)
	}
	return all, len(b) == 0
}

// endOf reads an end of a connection: nothing for port 0 without an address.
func endOf(b []byte, at, width, port int) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(b[at : at+width])
	number := uint16(layout.U32(b, port))
	if number == 0 && ip.IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, number)
}

func socketSource() platform.Source {
	return level("T_SVR4_OPTMGMT_REQ", platform.Host, 50, append(platform.HostTCPFields(), platform.HostUDP)...)
}

// readSockets counts sockets by their states.
func (p *pass) readSockets() error {
	all, err := p.sockets()
	if err != nil {
		return err
	}
	var counts platform.TCPCounts
	var udp uint64
	for _, s := range all {
		if s.tcp {
			counts.Add(s.state)
		} else {
			udp++
		}
	}
	p.sample.SetTCP(&counts)
	p.sample.Set(platform.HostUDP, udp)
	return nil
}
