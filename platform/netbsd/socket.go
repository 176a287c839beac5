package netbsd

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_file (sys/sysctl.h).
const (
	fileSize   = 120
	fileType   = 16
	fileData   = 64 // the socket's address
	filePid    = 104
	typeSocket = 2 // DTYPE_SOCKET
)

// Offsets in struct kinfo_pcb (sys/socket.h): source and destination are unions of 264
// bytes.
const (
	pcbSize   = 640
	pcbSocket = 16
	pcbState  = 48
	pcbMost   = 1 << 20 // sockets that are asked for at most
)

// pcbLists are the lists of sockets, and whether they are of TCP.
var pcbLists = [...]struct {
	name string
	tcp  bool
}{
	{"net.inet.tcp.pcblist", true}, {"net.inet6.tcp6.pcblist", true},
	{"net.inet.udp.pcblist", false}, {"net.inet6.udp6.pcblist", false},
}

// eachSocket calls each with every socket of TCP and UDP. A kernel without one of the
// protocols has no list of it.
func eachSocket(p *sysctl.Pass, each func(r sysctl.Row, tcp bool)) error {
	for _, list := range pcbLists {
		if err := eachOf(p, list.name, func(r sysctl.Row) { each(r, list.tcp) }); err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls each with every socket of a list, which a kernel may not have.
func eachOf(p *sysctl.Pass, list string, each func(sysctl.Row)) error {
	b, err := p.AskNamed(list, 0, 0, pcbSize, pcbMost)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported):
		return nil
	case err == nil && !sysctl.Each(b, pcbSize, each):
		return sysctl.ErrContent
	}
	return err
}

// sockets counts the sockets of the host by state.
func sockets() sysctl.HostSource {
	s := sysctl.Level("net.*.pcblist", platform.Host, 50, append(platform.HostTCPFields(), platform.HostUDP)...)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		var tcp platform.TCPCounts
		var udp uint64
		err := eachSocket(p, func(r sysctl.Row, isTCP bool) {
			if isTCP {
				tcp.Add(sysctl.TCPState(r.U32(pcbState)))
			} else {
				udp++
			}
		})
		if err == nil {
			p.Sample().SetTCP(&tcp)
			p.Sample().Set(platform.HostUDP, udp)
		}
		return err
	}}
}

// countFiles counts what each process has open: files by kern.file2, and which of them
// are sockets of TCP and UDP by their addresses.
func countFiles(p *sysctl.Pass, counts map[uint64]*sysctl.FileCount) error {
	type socket struct {
		state platform.TCPState
		tcp   bool
	}
	known := map[uint64]socket{}
	err := eachSocket(p, func(r sysctl.Row, tcp bool) {
		known[r.U64(pcbSocket)] = socket{sysctl.TCPState(r.U32(pcbState)), tcp}
	})
	if err != nil {
		return err
	}
	b, err := p.AskFiles(fileSize, ctlKern, kernFile2, fileByPid, everybody)
	if err != nil {
		return err
	}
	whole := sysctl.Each(b, fileSize, func(r sysctl.Row) {
		c := sysctl.Counted(counts, r.U32(filePid))
		c.Files++
		if r.U32(fileType) != typeSocket {
			return
		}
		switch s, ok := known[r.U64(fileData)]; {
		case ok && s.tcp:
			c.TCP.Add(s.state)
		case ok:
			c.UDP++
		}
	})
	if !whole {
		return sysctl.ErrContent
	}
	return nil
}
