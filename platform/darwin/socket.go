package darwin

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// socketLists tell of all sockets and whose they are, as netstat(1) shows it to anybody.
const (
	socketLists  = "net.inet.tcp.pcblist_n, net.inet.udp.pcblist_n"
	socketOwners = "so_last_pid of " + socketLists
)

// A list begins and ends with a struct xinpgen. Between are, for each socket, records that
// begin with their length and kind, at multiples of 8: of the protocol, of the socket, of its
// buffers, and of TCP (get_pcblist_n in bsd/netinet/in_pcblist.c). Their members are packed
// to 4 bytes (netinet/in_pcb.h, sys/socketvar.h, netinet/tcp_var.h of XNU 11417).
const (
	listHead    = 24 // struct xinpgen, which is shorter than any record
	kindSocket  = 0x1
	kindTCP     = 0x20
	socketSize  = 76 // as much of struct xsocket_n as is read
	socketPID   = 68 // so_last_pid: who used it last
	tcpSize     = 40 // likewise of struct xtcpcb_n
	tcpState    = 36
	recordLeast = 8
)

// decodeSockets calls each with every socket: whose it is, and its record of TCP, nil where
// there is none.
func decodeSockets(b []byte, each func(pid uint64, tcp sysctl.Row)) (whole bool) {
	if len(b) < listHead || layout.U32(b, 0) != listHead {
		return false
	}
	b = b[listHead:]
	for len(b) >= recordLeast {
		n, kind := int(layout.U32(b, 0)), layout.U32(b, 4)
		next := (n + 7) &^ 7
		switch {
		case n == listHead:
			return true
		case n < recordLeast || n > len(b):
			return false
		case kind == kindSocket && n >= socketSize:
			each(uint64(layout.U32(b, socketPID)), nil)
		case kind == kindTCP && n >= tcpSize:
			each(0, sysctl.Row(b[:n:n]))
		}
		b = b[min(next, len(b)):]
	}
	return false
}

// eachSocket calls each with every socket of TCP and of UDP, of both versions of IP.
func eachSocket(p *sysctl.Pass, each func(pid uint64, state platform.TCPState, udp bool)) error {
	b, err := p.AskNamed("net.inet.tcp.pcblist_n")
	if err != nil {
		return err
	}
	owner := uint64(0)
	whole := decodeSockets(b, func(pid uint64, tcp sysctl.Row) {
		if tcp == nil {
			owner = pid
		} else {
			each(owner, sysctl.TCPState(tcp.U32(tcpState)), false)
		}
	})
	// A machine that has had no socket answers with a head alone.
	if !whole && len(b) != listHead {
		return sysctl.ErrContent
	}
	if b, err = p.AskNamed("net.inet.udp.pcblist_n"); err != nil {
		return err
	}
	if !decodeSockets(b, func(pid uint64, _ sysctl.Row) { each(pid, platform.TCPNone, true) }) && len(b) != listHead {
		return sysctl.ErrContent
	}
	return nil
}

// sockets counts the sockets of the host by state.
func sockets() sysctl.HostSource {
	s := sysctl.Level(socketLists, platform.Host, 50, append(platform.HostTCPFields(), platform.HostUDP)...)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		var c sysctl.FileCount
		if err := eachSocket(p, func(_ uint64, state platform.TCPState, udp bool) { count(&c, state, udp) }); err != nil {
			return err
		}
		p.Sample().SetTCP(&c.TCP)
		p.Sample().Set(platform.HostUDP, c.UDP)
		return nil
	}}
}

// countSockets counts those of each process. A socket of two processes is that of the one
// that used it last.
func countSockets(p *sysctl.Pass, counts map[uint64]*sysctl.FileCount) error {
	return eachSocket(p, func(pid uint64, state platform.TCPState, udp bool) { count(sysctl.Counted(counts, pid), state, udp) })
}

func count(c *sysctl.FileCount, state platform.TCPState, udp bool) {
	if udp {
		c.UDP++
	} else {
		c.TCP.Add(state)
	}
}
