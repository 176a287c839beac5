package openbsd

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_file (sys/sysctl.h of OpenBSD 7; the same in the Rust crate
// libc). The state of TCP is in it since OpenBSD 6.0.
const (
	fileSize     = 600
	fileProtocol = 288
	fileFamily   = 292
	filePid      = 376
	fileFD       = 380
	fileState    = 596
)

// Operations of kern.file, and numbers of sys/file.h, sys/socket.h and netinet/in.h.
const (
	fileByFile  = 1
	fileByPid   = 2
	everybody   = -1
	typeSocket  = 2
	familyInet  = 2
	familyInet6 = 24
	protocolTCP = 6
	protocolUDP = 17
)

// count counts one record that is a socket of TCP or UDP.
func count(r sysctl.Row, tcp *platform.TCPCounts, udp *uint64) {
	if family := r.U32(fileFamily); family != familyInet && family != familyInet6 {
		return
	}
	switch r.U32(fileProtocol) {
	case protocolTCP:
		tcp.Add(sysctl.TCPState(r.U32(fileState)))
	case protocolUDP:
		*udp++
	}
}

// sockets counts the sockets of the host by state. Asked for sockets, kern.file tells
// of those too that no file leads to any more.
func sockets() sysctl.HostSource {
	s := sysctl.Level("kern.file, sockets", platform.Host, 50, append(platform.HostTCPFields(), platform.HostUDP)...)
	return sysctl.HostSource{Source: s, Host: func(p *sysctl.Pass) error {
		b, err := p.AskFiles(fileSize, ctlKern, kernFile, fileByFile, typeSocket)
		if err != nil {
			return err
		}
		var tcp platform.TCPCounts
		var udp uint64
		if !sysctl.Each(b, fileSize, func(r sysctl.Row) { count(r, &tcp, &udp) }) {
			return sysctl.ErrContent
		}
		p.Sample().SetTCP(&tcp)
		p.Sample().Set(platform.HostUDP, udp)
		return nil
	}}
}

// countFiles counts what each process has open. Numbers below 0 are of its program and
// its folders.
func countFiles(p *sysctl.Pass, counts map[uint64]*sysctl.FileCount) error {
	b, err := p.AskFiles(fileSize, ctlKern, kernFile, fileByPid, everybody)
	if err != nil {
		return err
	}
	whole := sysctl.Each(b, fileSize, func(r sysctl.Row) {
		c := sysctl.Counted(counts, r.U32(filePid))
		if int32(r.U32(fileFD)) < 0 {
			return
		}
		c.Files++
		count(r, &c.TCP, &c.UDP)
	})
	if !whole {
		return sysctl.ErrContent
	}
	return nil
}
