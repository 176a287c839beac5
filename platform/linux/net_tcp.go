package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// tcpCounts counts sockets by state, the number of which is the index.
type tcpCounts [16]uint64

// decodeTCP counts one line of /proc/net/tcp or tcp6 by its fourth field, the
// state in hexadecimal (get_tcp4_sock in net/ipv4/tcp_ipv4.c).
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 ...
func decodeTCP(line []byte, counts *tcpCounts) {
	if !isSocket(line) {
		return
	}
	state, rest, ok := text.HexField(text.Skip(line, 3))
	if next, _ := text.Field(rest); ok && len(next) > 0 {
		counts.add(state)
	}
}

// add counts one socket.
func (c *tcpCounts) add(state uint64) {
	if state < uint64(len(c)) {
		c[state]++
	}
}

// isSocket tells a socket's line from the headline: it begins with a number and a
// colon.
func isSocket(line []byte) bool {
	_, rest, ok := text.Uint(line)
	return ok && len(rest) > 0 && rest[0] == ':'
}

// set sets the counts of all states that OpenTelemetry has a name for. The
// numbers are those of include/net/tcp_states.h, and of [platform.TCPState]; a
// socket that is new in SYN_RECV has its own, 12, and the same name.
func (c *tcpCounts) set(s *platform.Sample) {
	const newSynReceived = 12
	counts := platform.TCPCounts(c[:len(platform.TCPCounts{})])
	counts[platform.TCPSynReceived] += c[newSynReceived]
	s.SetTCP(&counts)
}

// decodeUDP counts one line of /proc/net/udp or udp6, which look like those of
// TCP; a UDP socket has no state worth a name.
func decodeUDP(line []byte, sockets *uint64) {
	if isSocket(line) {
		*sockets++
	}
}
