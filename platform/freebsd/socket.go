package freebsd

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// fileSources is what tells who has which file and socket open.
const fileSources = "kern.file, net.inet.tcp.pcblist, net.inet.udp.pcblist"

// Offsets in struct xfile (sys/file.h since FreeBSD 12, where addresses became 64 bits
// wide on all machines). It begins with its own size.
const (
	fileSize   = 128
	filePid    = 8
	fileType   = 32 // 16 bits
	fileData   = 56 // the socket
	typeSocket = 2  // DTYPE_SOCKET
)

// Lists of sockets begin and end with a struct xinpgen, of 64 bytes, and have records of
// at least struct xinpcb or struct xtcpcb between (netinet/in_pcb.h, netinet/tcp_var.h
// since FreeBSD 12). Each begins with its own size in 64 bits. FreeBSD 13 and 15 have
// other members where there was room to spare, and moved none that is read here.
const (
	headSize   = 64
	inpcbSize  = 400
	inpcbSo    = 16 // xi_socket.xso_so: the address of the socket
	tcpcbSize  = 744
	tcpcbSo    = 8 + inpcbSo
	tcpcbState = 568 // t_state
)

// socketKind is what is known of a socket by its address.
type socketKind struct {
	state platform.TCPState
	udp   bool
}

// decodeSockets calls each with the records of a list.
func decodeSockets(b []byte, least int, each func(sysctl.Row)) (whole bool) {
	first := true
	return sysctl.EachSized(b, 8, headSize, func(r sysctl.Row) {
		if !first && len(r) >= least {
			each(r)
		}
		first = false
	})
}

// eachSocket calls each with every socket of TCP and of UDP, of both versions of IP.
func eachSocket(p *sysctl.Pass, each func(address uint64, k socketKind)) error {
	b, err := p.AskNamed("net.inet.tcp.pcblist")
	if err != nil {
		return err
	}
	whole := decodeSockets(b, tcpcbSize, func(r sysctl.Row) {
		each(r.U64(tcpcbSo), socketKind{state: sysctl.TCPState(r.U32(tcpcbState))})
	})
	if !whole {
		return sysctl.ErrContent
	}
	if b, err = p.AskNamed("net.inet.udp.pcblist"); err != nil {
		return err
	}
	if !decodeSockets(b, inpcbSize, func(r sysctl.Row) { each(r.U64(inpcbSo), socketKind{udp: true}) }) {
		return sysctl.ErrContent
	}
	return nil
}

// sockets counts the sockets of the host by state.
func sockets() sysctl.HostSource {
	s := sysctl.Level("net.inet.tcp.pcblist, net.inet.udp.pcblist", platform.Host, 50, append(platform.HostTCPFields(), platform.HostUDP)...)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		var tcp platform.TCPCounts
		var udp uint64
		err := eachSocket(p, func(_ uint64, k socketKind) {
			if k.udp {
				udp++
			} else {
				tcp.Add(k.state)
			}
		})
		if err != nil {
			return err
		}
		p.Sample().SetTCP(&tcp)
		p.Sample().Set(platform.HostUDP, udp)
		return nil
	}}
}

// countFiles counts what each process has open. A socket of two processes is counted for
// both.
func countFiles(p *sysctl.Pass, counts map[uint64]*sysctl.FileCount) error {
	known := map[uint64]socketKind{}
	if err := eachSocket(p, func(address uint64, k socketKind) { known[address] = k }); err != nil {
		return err
	}
	b, err := p.Ask(ctlKern, kernFile)
	if err != nil {
		return err
	}
	whole := sysctl.EachSized(b, 8, fileSize, func(r sysctl.Row) {
		c := sysctl.Counted(counts, r.U32(filePid))
		c.Files++
		k, ok := known[r.U64(fileData)]
		switch {
		case !ok || r[fileType] != typeSocket:
		case k.udp:
			c.UDP++
		default:
			c.TCP.Add(k.state)
		}
	})
	if !whole {
		return sysctl.ErrContent
	}
	return nil
}
