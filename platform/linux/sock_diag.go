package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// SocketStats asks sock_diag, which tells of the caller's own network namespace.
func (p *inspection) SocketStats() ([]platform.SocketStats, error) {
	return detail(p, "fd", ofPrograms, p.socketStats)
}

// socketStats joins the sockets under dir with what TCP knows of each.
func (p *inspection) socketStats(dir int) ([]platform.SocketStats, error) {
	sockets, err := p.sockets(dir)
	list := []platform.SocketStats{}
	if err != nil || len(sockets.held) == 0 {
		return list, err
	}
	if err := p.networkIsOurs(dir); err != nil {
		return nil, err
	}
	found := map[uint64]platform.SocketStats{}
	for _, family := range [...]byte{familyInet, familyInet6} {
		if err := p.diagnose(family, sockets.inodes, found); err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
	}
	for _, socket := range sockets.held {
		if s, ok := found[socket.inode]; ok {
			s.FD = socket.fd
			list = append(list, s)
		}
	}
	return list, nil
}

// networkIsOurs makes sure that a process's network namespace is that of the caller.
func (p *inspection) networkIsOurs(dir int) error {
	if !p.live || p.selfErr != nil {
		return fmt.Errorf("%w: the processes of this root are recorded", errors.ErrUnsupported)
	}
	theirs, err := p.readLink(dir, "ns/net")
	if err != nil {
		return err
	}
	if ours, err := p.readLink(p.self, "ns/net"); err != nil || ours != theirs {
		return fmt.Errorf("%w: the process is in another network namespace", errors.ErrUnsupported)
	}
	return nil
}

// diagnose asks for all TCP sockets of a family, listening ones excepted, and keeps
// those that are wanted.
func (p *inspection) diagnose(family byte, inodes map[uint64]bool, found map[uint64]platform.SocketStats) error {
	const wanted = 1 << (diagInfo - 1)
	request := diagRequest(family, wanted, diagConnected)
	return dump(p.shared.calls, protocolDiag, request, make([]byte, netlinkSize), func() {}, func(kind uint16, payload []byte) {
		if s, ok := decodeSocketStats(payload); ok && kind == diagByFamily && inodes[s.Inode] {
			found[s.Inode] = s
		}
	})
}

// Numbers of sock_diag(7) and of include/uapi/linux/inet_diag.h.
const (
	protocolDiag  = 4 // NETLINK_SOCK_DIAG
	diagByFamily  = 20
	diagTCP       = 6
	diagInfo      = 2                    // INET_DIAG_INFO
	diagAll       = 1<<13 - 2            // the states that /proc/net/tcp tells: not those of bound sockets, since Linux 6.8
	diagConnected = diagAll &^ (1 << 10) // all of them but LISTEN
)

// Offsets in struct inet_diag_req_v2 and its size.
const (
	diagReqFamily   = 0
	diagReqProtocol = 1
	diagReqWanted   = 2 // idiag_ext: a bit for each attribute, from 1
	diagReqStates   = 4
	diagReqSize     = 56
)

// diagRequest encodes the request for all TCP sockets of a family that are in one of
// the states, with the attributes that are wanted: a bit for each.
func diagRequest(family, wanted byte, states uint32) []byte {
	b := make([]byte, diagReqSize)
	b[diagReqFamily] = family
	b[diagReqProtocol] = diagTCP
	b[diagReqWanted] = wanted
	binary.NativeEndian.PutUint32(b[diagReqStates:], states)
	return dumpRequest(diagByFamily, b)
}

// Offsets in struct inet_diag_msg and its size. Ports and addresses are in network
// order.
const (
	diagFamily    = 0
	diagState     = 1
	diagLocalPort = 4
	diagPeerPort  = 6
	diagLocal     = 8
	diagPeer      = 24
	diagReceive   = 56
	diagSend      = 60
	diagInode     = 68
	diagSize      = 72
)

// decodeSocketStats reads a message about a TCP socket.
func decodeSocketStats(b []byte) (s platform.SocketStats, ok bool) {
	if len(b) < diagSize {
		return s, false
	}
	size := 4
	if b[diagFamily] == familyInet6 {
		size = 16
	}
	s.Local = diagEndpoint(b[diagLocal:diagLocal+size], b[diagLocalPort:])
	s.Peer = diagEndpoint(b[diagPeer:diagPeer+size], b[diagPeerPort:])
	s.State = tcpState(uint64(b[diagState]))
	s.ReceiveQueue = binary.NativeEndian.Uint32(b[diagReceive:])
	s.SendQueue = binary.NativeEndian.Uint32(b[diagSend:])
	s.Inode = uint64(binary.NativeEndian.Uint32(b[diagInode:]))
	told := false
	decodeAttributes(b[diagSize:], func(kind uint16, value []byte) {
		if kind == diagInfo {
			told = decodeTCPInfo(value, &s)
		}
	})
	return s, told
}

// decodeDiagState reads the state of a TCP socket, by the kernel's number.
func decodeDiagState(b []byte) (state byte, ok bool) {
	if len(b) < diagSize {
		return 0, false
	}
	return b[diagState], true
}

func diagEndpoint(addr, port []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(addr)
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}

// Offsets in struct tcp_info (include/uapi/linux/tcp.h), which grows with the kernel.
const (
	tcpMSS                = 16
	tcpUnacknowledged     = 24
	tcpLost               = 32
	tcpRetransmitting     = 36
	tcpRTT                = 68 // microseconds
	tcpRTTVariance        = 72 // microseconds
	tcpWindow             = 80
	tcpRetransmits        = 100
	tcpLeast              = 104 // as of Linux 3.2
	tcpBytesAcknowledged  = 120 // 8 bytes, as all that follow
	tcpBytesReceived      = 128
	tcpBytesSent          = 200
	tcpBytesRetransmitted = 208
)

// decodeTCPInfo reads what TCP knows of a connection.
func decodeTCPInfo(b []byte, s *platform.SocketStats) (ok bool) {
	if len(b) < tcpLeast {
		return false
	}
	number := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	s.MSS = number(tcpMSS)
	s.Unacknowledged = number(tcpUnacknowledged)
	s.Lost = number(tcpLost)
	s.Retransmitting = number(tcpRetransmitting)
	s.RTT = time.Duration(number(tcpRTT)) * time.Microsecond
	s.RTTVariance = time.Duration(number(tcpRTTVariance)) * time.Microsecond
	s.Window = number(tcpWindow)
	s.Retransmits = number(tcpRetransmits)
	s.BytesAcknowledged = later(b, tcpBytesAcknowledged)
	s.BytesReceived = later(b, tcpBytesReceived)
	s.BytesSent = later(b, tcpBytesSent)
	s.BytesRetransmitted = later(b, tcpBytesRetransmitted)
	return true
}

// later reads a number that older kernels do not tell.
func later(b []byte, at int) *uint64 {
	if len(b) < at+8 {
		return nil
	}
	v := binary.NativeEndian.Uint64(b[at:])
	return &v
}
