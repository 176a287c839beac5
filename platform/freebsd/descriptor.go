package freebsd

import (
	"cmp"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_file (sys/user.h since FreeBSD 12; the same in the Rust crate
// libc). It begins with its own size, as its path is cut off. From 32 on what is there
// depends on what is open.
const (
	openSize     = 368 // without the path
	openType     = 4
	openFD       = 8
	openFlags    = 16
	openOffset   = 24
	openVnode    = 32
	openFamily   = 36
	openKind     = 40
	openProtocol = 44
	openLocal    = 48 // struct sockaddr_storage, of 128 bytes
	openPeer     = 176
	openPCB      = 304
	openPath     = 368

	openIsVnode  = 1  // KF_TYPE_VNODE
	openIsSocket = 2  // KF_TYPE_SOCKET
	openRegular  = 1  // KF_VTYPE_VREG
	fdWorking    = -1 // KF_FD_TYPE_CWD
	fdRoot       = -2 // KF_FD_TYPE_ROOT

	openReads   = 0x1 // KF_FLAG_*
	openWrites  = 0x2
	openAppends = 0x4
)

const descriptorList = "kern.proc.filedesc"

var errNoEntry = errors.New("the kernel does not tell it")

// eachDescriptor calls each with everything that a process has open, and with its folders.
func eachDescriptor(p *sysctl.Inspection, pid uint64, each func(sysctl.Row)) error {
	b, err := p.Ask(ctlKern, kernProc, procFiles, int32(pid))
	if err != nil {
		return err
	}
	if !sysctl.EachSized(b, 4, openSize, each) {
		return sysctl.ErrContent
	}
	return nil
}

// folder is one of the folders of a process.
func folder(fd int32) sysctl.Detail[platform.Link] {
	return sysctl.Detail[platform.Link]{Reads: []string{descriptorList}, Needs: needsSameUser, Of: func(p *sysctl.Inspection, v *sysctl.Visit) (link platform.Link, err error) {
		found := false
		err = eachDescriptor(p, v.Key.ID, func(r sysctl.Row) {
			if int32(r.U32(openFD)) == fd {
				link, found = platform.Link{Path: sysctl.CString(r[openPath:])}, true
			}
		})
		if err == nil && !found {
			err = errors.Join(errNoEntry, errors.ErrUnsupported)
		}
		return link, err
	}}
}

// openFiles are the regular files. The kernel finds their paths in its cache of names:
// "" is one that has fallen out of it.
func openFiles() sysctl.Detail[[]platform.OpenFile] {
	return sysctl.Detail[[]platform.OpenFile]{Reads: []string{descriptorList}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.OpenFile, error) {
			files := []platform.OpenFile{}
			err := eachDescriptor(p, v.Key.ID, func(r sysctl.Row) {
				if f, ok := fileOf(r); ok {
					files = append(files, f)
				}
			})
			slices.SortFunc(files, func(a, b platform.OpenFile) int { return cmp.Compare(a.FD, b.FD) })
			return files, err
		}}
}

// fileOf describes a regular file. Its flags are put into those of open(2).
func fileOf(r sysctl.Row) (f platform.OpenFile, ok bool) {
	fd := int32(r.U32(openFD))
	if r.U32(openType) != openIsVnode || fd < 0 || r.U32(openVnode) != openRegular {
		return f, false
	}
	told, position := r.U32(openFlags), r.U64(openOffset)
	reads, writes := told&openReads != 0, told&openWrites != 0
	flags := sysctl.AccessFlags(reads, writes)
	if told&openAppends != 0 {
		flags |= sysctl.Append
	}
	return platform.OpenFile{FD: int(fd), Path: sysctl.CString(r[openPath:]), Position: &position,
		Mode: sysctl.Mode(reads, writes, told&openAppends != 0), Flags: &flags}, true
}

// tcpcbPCB is the address of the socket's protocol in a struct xtcpcb (xso_pcb).
const tcpcbPCB = tcpcbSo + 8

// connections are the sockets. The state of one of TCP is in the list of all.
func connections() sysctl.Detail[[]platform.Connection] {
	return sysctl.Detail[[]platform.Connection]{Reads: []string{descriptorList, "net.inet.tcp.pcblist"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Connection, error) {
			states := map[uint64]platform.TCPState{}
			b, err := p.AskNamed("net.inet.tcp.pcblist")
			if err != nil {
				return nil, err
			}
			if !decodeSockets(b, tcpcbSize, func(r sysctl.Row) { states[r.U64(tcpcbPCB)] = sysctl.TCPState(r.U32(tcpcbState)) }) {
				return nil, sysctl.ErrContent
			}
			all := []platform.Connection{}
			err = eachDescriptor(p, v.Key.ID, func(r sysctl.Row) {
				if c, ok := connectionOf(r, states); ok {
					all = append(all, c)
				}
			})
			slices.SortFunc(all, func(a, b platform.Connection) int { return cmp.Compare(a.FD, b.FD) })
			return all, err
		}}
}

// Numbers of sys/socket.h and netinet/in.h.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 28
	protocolTCP = 6
	protocolUDP = 17
)

var families = map[uint64]platform.Family{familyUnix: platform.FamilyUnix, familyInet: platform.FamilyInet, familyInet6: platform.FamilyInet6}

// connectionOf describes a socket of TCP, UDP or the local kind.
func connectionOf(r sysctl.Row, states map[uint64]platform.TCPState) (c platform.Connection, ok bool) {
	fd, family, protocol := int32(r.U32(openFD)), families[r.U32(openFamily)], r.U32(openProtocol)
	ip := protocol == protocolTCP || protocol == protocolUDP
	if r.U32(openType) != openIsSocket || fd < 0 || family == platform.FamilyUnknown || family != platform.FamilyUnix && !ip {
		return c, false
	}
	c = platform.Connection{FD: int(fd), Inode: r.U64(openPCB), Family: family, Type: sysctl.SocketType(r.U32(openKind))}
	if family == platform.FamilyUnix {
		c.Path = unixPath(r[openLocal:openPeer])
		return c, true
	}
	c.Local, c.Peer = addressOf(r[openLocal:openPeer]), addressOf(r[openPeer:openPCB])
	if protocol == protocolTCP {
		c.State = states[c.Inode]
	}
	return c, true
}

// unixPath returns the path in a struct sockaddr_un.
func unixPath(b []byte) string { return sysctl.CString(b[2:min(max(int(b[0]), 2), len(b))]) }

// addressOf reads a struct sockaddr_in or sockaddr_in6. One of port 0 without an address is
// none.
func addressOf(b []byte) netip.AddrPort {
	var ip netip.Addr
	switch b[1] {
	case familyInet:
		ip = netip.AddrFrom4([4]byte(b[4:]))
	case familyInet6:
		ip = netip.AddrFrom16([16]byte(b[8:]))
	}
	a := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[2:]))
	if a.Port() == 0 && ip.IsUnspecified() {
		return netip.AddrPort{}
	}
	return a
}
